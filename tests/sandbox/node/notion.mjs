// Notion's own client in front of the stand-in: one scene for each thing that integrations do. Called by
// test_node_notion.py.
import {
  Client, collectPaginatedAPI, isFullBlock, isFullComment, isFullDatabase, isFullDataSource, isFullPage, isFullUser,
  verifyWebhookSignature,
} from "@notionhq/client";
import { play, refused } from "./play.mjs";

const complaints = [];
const logger = (level, message, more) => complaints.push(`${level}: ${message} ${JSON.stringify(more)}`);

const connect = ({ url, token, version }, more) =>
  new Client({ auth: token, baseUrl: url, notionVersion: version, retry: false, logger, ...more });

const rich = (content) => [{ text: { content } }];
const paragraph = (words) => ({ type: "paragraph", paragraph: { rich_text: rich(words) } });
const title = (page) => page.properties.Task.title[0].plain_text;
const words = (block) => block[block.type].rich_text[0].plain_text;
const row = (source, name, properties) => ({
  parent: { type: "data_source_id", data_source_id: source },
  properties: { Task: { title: rich(name) }, ...properties },
});

const method = (client, name) => name.split(".").reduce((part, step) => part[step], client);

await play({
  async people(given) {
    const client = connect(given);
    const me = await client.users.me();
    const users = await collectPaginatedAPI(client.users.list, { page_size: 2 });
    const one = await client.users.retrieve({ user_id: users[1].id });
    return { me, users, one, full: users.every(isFullUser), complaints };
  },

  async tables({ database, ...given }) {
    const client = connect(given);
    const container = await client.databases.retrieve({ database_id: database });
    const source = await client.dataSources.retrieve({ data_source_id: container.data_sources[0].id });
    return { container, source, full: isFullDatabase(container) && isFullDataSource(source), complaints };
  },

  async query({ source, ...given }) {
    const client = connect(given);
    for (const name of ["a", "b", "c", "d", "e"]) {
      const status = { Status: { status: { name: name === "b" ? "Done" : "To do" } } };
      await client.pages.create(row(source, name, status));
    }
    const open = { property: "Status", status: { equals: "To do" } };
    const asked = {
      data_source_id: source, page_size: 2, sorts: [{ property: "Task", direction: "descending" }],
      filter: { and: [open, { property: "Task", title: { does_not_equal: "e" } }] },
    };
    const first = await client.dataSources.query(asked);
    const rows = await collectPaginatedAPI(client.dataSources.query, asked);
    return {
      first: first.results.map(title), more: first.has_more, rows: rows.map(title),
      full: rows.every(isFullPage), complaints,
    };
  },

  async page({ source, ...given }) {
    const client = connect(given);
    const made = await client.pages.create({ ...row(source, "Fix it"), children: [paragraph("one")] });
    const more = [paragraph("two"), paragraph("three")];
    const added = await client.blocks.children.append({ block_id: made.id, children: more });
    const blocks = await collectPaginatedAPI(client.blocks.children.list, { block_id: made.id, page_size: 1 });
    const done = { Status: { status: { name: "Done" } } };
    const changed = await client.pages.update({ page_id: made.id, properties: done });
    await client.pages.update({ page_id: made.id, in_trash: true });
    const read = await client.pages.retrieve({ page_id: made.id });
    const one = await client.blocks.retrieve({ block_id: added.results[0].id });
    return {
      title: title(made), added: added.results.map(words), blocks: blocks.map(words), one: words(one),
      status: changed.properties.Status.status.name, trashed: read.in_trash, same: read.url === made.url,
      full: isFullPage(made) && blocks.every(isFullBlock), complaints,
    };
  },

  async comments({ page, ...given }) {
    const client = connect(given);
    const first = await client.comments.create({ parent: { page_id: page }, rich_text: rich("one") });
    const answer = await client.comments.create({ discussion_id: first.discussion_id, rich_text: rich("two") });
    const listed = await collectPaginatedAPI(client.comments.list, { block_id: page, page_size: 1 });
    const read = await client.comments.retrieve({ comment_id: first.id });
    return {
      texts: listed.map((comment) => comment.rich_text[0].plain_text),
      same: answer.discussion_id === first.discussion_id,
      author: read.created_by.id, parent: read.parent, full: listed.every(isFullComment), complaints,
    };
  },

  async signatures({ requests }) {
    return Promise.all(requests.map(verifyWebhookSignature));
  },

  async search({ source, ...given }) {
    const client = connect(given);
    await client.pages.create(row(source, "Fix the login"));
    const pages = await client.search({ query: "login", filter: { property: "object", value: "page" } });
    const sources = await client.search({ filter: { property: "object", value: "data_source" } });
    return { pages: pages.results.map(title), sources: sources.results.map((s) => s.id), complaints };
  },

  async refusals({ calls, ...given }) {
    const client = connect(given);
    const errors = await Promise.all(calls.map(([call, args]) => refused(method(client, call)(args))));
    return errors.map(({ name, code, status, message, request_id, additional_data, headers }) =>
      ({ name, code, status, message, request_id, additional_data, wait: headers.get("retry-after") }));
  },

  async patience(given) {
    const client = connect(given, { retry: { maxRetries: 1, initialRetryDelayMs: 1 } });
    return { id: (await client.users.me()).id, complaints };
  },

  async raw({ calls, ...given }) {
    const client = connect(given);
    return Promise.all(calls.map(([method, path, body]) => client.request({ method, path, body })));
  },
});
