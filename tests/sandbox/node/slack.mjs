// Slack's own client in front of the stand-in: one scene for each thing that apps do. Called by test_node_slack.py.
import { WebClient } from "@slack/web-api";
import { all, play, refused } from "./play.mjs";

const complaints = [];
const complain = (...words) => complaints.push(words.join(" "));
const nothing = () => {};
const logger = {
  debug: nothing, info: nothing, warn: complain, error: complain,
  setLevel: nothing, getLevel: () => "warn", setName: nothing,
};

const connect = ({ url, token }, more) =>
  new WebClient(token, { slackApiUrl: url, logger, retryConfig: { retries: 0 }, ...more });

const texts = (messages) => messages.map((message) => message.text);

await play({
  async identity(given) {
    return { ...(await connect(given).auth.test()), complaints };
  },

  async thread({ channel, ts, ...given }) {
    const client = connect(given);
    const pages = await all(client.paginate("conversations.replies", { channel, ts, limit: 3 }));
    const history = await all(client.paginate("conversations.history", { channel, limit: 1 }));
    return { pages: pages.map((p) => texts(p.messages)), history: history.map((p) => texts(p.messages)), complaints };
  },

  async post({ channel, ts, ...given }) {
    const client = connect(given);
    const blocks = [{ type: "section", text: { type: "mrkdwn", text: "*hi*" } }];
    const metadata = { event_type: "tasks", event_payload: { key: "k" } };
    const more = { unfurl_links: false, unfurl_media: false };
    const posted = await client.chat.postMessage({ channel, thread_ts: ts, text: "hi", blocks, metadata, ...more });
    const read = await client.conversations.replies({ channel, ts, include_all_metadata: true });
    const { permalink } = await client.chat.getPermalink({ channel, message_ts: posted.ts });
    return { posted, read: read.messages.at(-1), permalink, complaints };
  },

  async react({ channel, ts, ...given }) {
    const { reactions } = connect(given);
    const eyes = { channel, timestamp: ts, name: "eyes" };
    await reactions.add(eyes);
    const again = await refused(reactions.add(eyes));
    const shown = (await reactions.get({ channel, timestamp: ts })).message.reactions;
    await reactions.remove(eyes);
    const gone = await refused(reactions.remove(eyes));
    const left = (await reactions.get({ channel, timestamp: ts })).message.reactions ?? [];
    return { again: again.data.error, shown, gone: gone.data.error, left, complaints };
  },

  async people({ user, ...given }) {
    const client = connect(given);
    const pages = await all(client.paginate("users.list", { limit: 2 }));
    const found = await client.users.info({ user });
    const sizes = pages.map((page) => page.members.length);
    return { sizes, members: pages.flatMap((page) => page.members), user: found.user, complaints };
  },

  async places({ channel, ...given }) {
    const client = connect(given);
    const types = "public_channel,private_channel";
    const pages = await all(client.paginate("conversations.list", { limit: 1, types }));
    const { channel: one } = await client.conversations.info({ channel });
    const { team } = await client.team.info();
    return { names: pages.flatMap((p) => p.channels.map((c) => c.name)), one, team, complaints };
  },

  async refusals({ calls, ...given }) {
    const client = connect(given);
    const errors = await Promise.all(calls.map(([method, args]) => refused(client.apiCall(method, args))));
    return errors.map(({ code, data }) => ({ code, ...data }));
  },

  async limit(given) {
    const waits = [];
    const error = await refused(connect(given, { rejectRateLimitedCalls: true }).auth.test());
    const patient = connect(given, { retryConfig: { retries: 1, minTimeout: 0 } });
    patient.on("rate_limited", (seconds) => waits.push(seconds));
    const { ok } = await patient.auth.test();
    return { code: error.code, retryAfter: error.retryAfter, ok, waits };
  },

  async outage(given) {
    const error = await refused(connect(given).auth.test());
    return { code: error.code, status: error.statusCode };
  },
});
