// Keeps the page in step with the sandbox: asks for its version twice a second and redraws when it has changed.
import { element, lane, thread } from "/draw.js";

const $ = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const chosen = { team: asked.get("team_id"), channel: asked.get("channel"), board: null };
let state = null;
let version = -1;
let replyTo = null;
let linkWasShown = false;

async function call(method, path, body) {
  const answer = await fetch(path, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
  const found = await answer.json();
  if (!answer.ok) throw new Error(typeof found.detail === "string" ? found.detail : "The sandbox refused this.");
  return found;
}

function select(box, options, value) {
  const same = box.dataset.options === JSON.stringify(options);
  if (!same) {
    box.replaceChildren(...options.map(([id, name]) => element("option", { value: id }, name)));
    box.dataset.options = JSON.stringify(options);
  }
  if (value && document.activeElement !== box) box.value = value;
}

function drawHeader() {
  const slack = state.slack;
  $("receiver").textContent = slack?.connected ? "Receiver connected" : "No receiver connected";
  $("receiver").classList.toggle("on", Boolean(slack?.connected));
  const links = Object.entries(state.links).map(([name, href]) => element("a", { href, target: "_blank", rel: "noopener" }, name));
  $("links").replaceChildren(...links);
}

function drawChat() {
  const slack = state.slack;
  if (!slack) return;
  const channel = slack.channels.find((one) => one.id === slack.channel);
  const title = channel ? (channel.is_im ? channel.name : "#" + channel.name) : "No channel";
  $("chat-title").textContent = title;
  $("workspace").textContent = slack.name;
  select($("channel"), slack.channels.map((c) => [c.id, (c.is_im ? "" : "#") + c.name]), slack.channel);
  select($("team"), state.workspaces.map((w) => [w.team_id, w.name]), slack.team_id);
  $("channel-pick").hidden = slack.channels.length < 2;
  $("workspace-pick").hidden = state.workspaces.length < 2;
  select($("author"), slack.people.filter((p) => !p.is_bot).map((p) => [p.id, p.real_name]));
  $("mention-label").textContent = `Mention @${slack.bot.name}`;
  drawMessages(slack);
  drawComposer(title);
}

function drawMessages(slack) {
  const list = $("messages");
  const names = Object.fromEntries(slack.people.map((p) => [p.id, p.is_bot ? p.name : p.real_name]));
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const empty = element("li", { class: "hint" }, element("b", {}, "Nothing here yet."), ` Discuss something, then mention @${slack.bot.name} to turn it into tasks.`);
  list.replaceChildren(...(slack.threads.length ? slack.threads.map((root) => thread(root, names, startReply)) : [empty]));
  if (isAtEnd) list.scrollTop = list.scrollHeight;
  showLinked();
}

// A permalink leads to #p<ts>; the message is there only after the first drawing, so the browser cannot find it itself.
function showLinked() {
  const linked = location.hash && document.getElementById(location.hash.slice(1));
  if (!linked) return;
  linked.classList.add("linked");
  if (!linkWasShown) linked.scrollIntoView({ block: "center" });
  linkWasShown = true;
}

function drawComposer(title) {
  const label = replyTo ? "Reply in thread" : `Message ${title}`;
  $("text").placeholder = label;
  $("text").setAttribute("aria-label", label);
  $("replying").hidden = !replyTo;
  $("replying-to").textContent = replyTo ? `Replying to ${replyTo.name}` : "";
}

function drawBoard() {
  const board = state.boards.find((one) => one.id === chosen.board) ?? state.boards[0];
  $("board-title").textContent = board ? board.title : "No database";
  $("board-count").textContent = board ? (board.count === 1 ? "1 task" : `${board.count} tasks`) : "";
  select($("board"), state.boards.map((b) => [b.id, b.title]), board?.id);
  $("board-pick").hidden = state.boards.length < 2;
  const drop = (id, status) => board.status && call("PATCH", `/sandbox/notion/pages/${id}`, { properties: { [board.status]: { status: { name: status } } } }).then(refresh, complain);
  const lanes = board ? board.lanes.map((one, index) => lane(one, index, board.lanes.map((each) => each.name), drop)) : [];
  // A list that somebody has open stays as it is until they have chosen.
  if (!document.activeElement?.classList.contains("mover")) $("lanes").replaceChildren(...lanes);
  const documents = state.documents.map((one) => element("a", { href: new URL(one.url).pathname }, one.title));
  $("documents").replaceChildren(...(documents.length ? ["Pages to comment on: ", ...documents] : []));
}

async function refresh() {
  const query = new URLSearchParams(Object.entries({ team_id: chosen.team, channel: chosen.channel }).filter(([, value]) => value));
  state = await call("GET", `/sandbox/state?${query}`);
  version = state.version;
  drawHeader();
  drawChat();
  drawBoard();
}

async function poll() {
  try {
    const now = await call("GET", "/sandbox/version");
    if (now.version !== version) await refresh();
    document.body.classList.remove("offline");
  } catch {
    document.body.classList.add("offline");
  }
  setTimeout(poll, 400);
}

function startReply(root) {
  replyTo = root;
  drawComposer($("chat-title").textContent);
  $("text").focus();
}

function complain(problem) {
  $("problem").textContent = problem ? problem.message : "";
  $("problem").hidden = !problem;
}

function escaped(text, people) {
  const safe = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const linked = safe.replace(/https?:\/\/[^\s]+[^\s.,;:!?)]/g, (url) => `<${url}>`);
  const byName = new Map(people.map((p) => [p.name, p.id]));
  return linked.replace(/(?<![\w<])@([\w-]+)/g, (whole, name) => (byName.has(name) ? `<@${byName.get(name)}>` : whole));
}

async function send(event) {
  event.preventDefault();
  const slack = state.slack;
  const words = escaped($("text").value.trim(), slack.people);
  const mention = $("mention").checked && !words.includes(`<@${slack.bot.id}>`) ? `<@${slack.bot.id}> ` : "";
  if (!words && !mention) return;
  const body = { team_id: slack.team_id, channel: slack.channel, user: $("author").value, text: (mention + words).trim() };
  try {
    await call("POST", "/sandbox/slack/messages", replyTo ? { ...body, thread_ts: replyTo.ts } : body);
    $("text").value = "";
    $("mention").checked = false;
    replyTo = null;
    complain(null);
    await refresh();
    if (!body.thread_ts) $("messages").scrollTop = $("messages").scrollHeight;
  } catch (problem) {
    complain(problem);
  }
}

$("composer").addEventListener("submit", send);
$("stop-replying").addEventListener("click", () => { replyTo = null; drawComposer($("chat-title").textContent); });
$("mention").addEventListener("change", () => { $("text").required = !$("mention").checked; });
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("composer").requestSubmit(); }
});
$("team").addEventListener("change", () => { chosen.team = $("team").value; chosen.channel = null; replyTo = null; refresh(); });
$("channel").addEventListener("change", () => { chosen.channel = $("channel").value; replyTo = null; refresh(); });
$("board").addEventListener("change", () => { chosen.board = $("board").value; drawBoard(); });

poll();
