// Draws messages and cards. User text only ever becomes text nodes; links lead to the web and to mail, nowhere else.

const TOKEN = /```([\s\S]+?)```|`([^`\n]+)`|<([^<>\n]+)>|(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<!\w)_([^_\n]+)_(?!\w)|(?<!\w)~([^~\n]+)~(?!\w)/g;
const COLORS = ["#5b4bdb", "#0f7b6c", "#c2570c", "#b4236b", "#1f6feb", "#7a5c00", "#9333b8"];
const TONES = { high: "red", urgent: "red", medium: "amber", low: "green", bug: "red", feature: "blue", question: "violet", improvement: "teal" };

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

export function mrkdwn(text, names) {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(TOKEN)) {
    parts.push(unescape(text.slice(last, match.index)), token(match, names));
    last = match.index + match[0].length;
  }
  return [...parts, unescape(text.slice(last))].filter((part) => part !== "");
}

function token([, block, code, angle, bold, italic, struck], names) {
  if (block !== undefined) return element("pre", {}, unescape(block.trim()));
  if (code !== undefined) return element("code", {}, unescape(code));
  if (angle !== undefined) return reference(angle, names);
  if (bold !== undefined) return element("strong", {}, ...mrkdwn(bold, names));
  if (italic !== undefined) return element("em", {}, ...mrkdwn(italic, names));
  return element("s", {}, ...mrkdwn(struck, names));
}

function reference(inside, names) {
  const [target, label] = inside.split("|");
  if (target.startsWith("@")) return element("span", { class: "mention" }, "@" + (names[target.slice(1)] ?? label ?? target.slice(1)));
  if (target.startsWith("#")) return element("span", { class: "mention" }, "#" + (label || target.slice(1)));
  if (target.startsWith("!")) return element("span", { class: "mention" }, "@" + (label || target.slice(1)).replace(/^@/, ""));
  const href = unescape(target);
  const shown = unescape(label ?? target.replace(/^mailto:/, ""));
  return /^(https?:|mailto:)/i.test(href) ? element("a", { href, target: "_blank", rel: "noopener noreferrer" }, shown) : shown;
}

function lines(text, names) {
  const paragraphs = [];
  for (const part of text.split(/(```[\s\S]+?```)/)) {
    if (part.startsWith("```")) paragraphs.push(...mrkdwn(part, names));
    else paragraphs.push(...part.split(/\n/).map((line) => lineOf(line, names)));
  }
  return paragraphs.filter((node) => node.tagName === "PRE" || node.childNodes.length);
}

function lineOf(line, names) {
  if (line.startsWith("&gt;")) return element("blockquote", {}, ...mrkdwn(line.slice(4).trim(), names));
  return element("p", {}, ...mrkdwn(line, names));
}

export function avatar(name, isBot = false) {
  const letters = name.split(/\s+/).map((word) => word[0]).join("");
  const sum = [...name].reduce((total, char) => (total * 32 + char.codePointAt(0)) % 99991, 7);
  const initials = isBot ? "✦" : (letters[0] ?? "?") + (letters.length > 1 ? letters.at(-1) : "");
  const style = `background:${isBot ? "#22223b" : COLORS[sum % COLORS.length]}`;
  return element("span", { class: "avatar", style, "aria-hidden": "true", title: name }, initials.toUpperCase());
}

function clock(ts) {
  const at = new Date(Number(ts.split(".")[0]) * 1000);
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const isToday = at.toDateString() === new Date().toDateString();
  return element("time", { datetime: at.toISOString() }, isToday ? time : `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`);
}

function message(one, names) {
  const reactions = one.reactions.map((r) =>
    element("li", { class: "reaction", title: `:${r.name}:`, "aria-label": `${r.count} × ${r.name}` }, `${r.emoji} `, element("b", {}, String(r.count))));
  return element("article", { class: "message", id: "p" + one.ts.replace(".", ""), "aria-label": `Message from ${one.name}` },
    avatar(one.name, one.is_bot),
    element("div", { class: "body" },
      element("div", { class: "who" }, element("strong", {}, one.name), one.is_bot ? element("span", { class: "app" }, "APP") : "", clock(one.ts)),
      element("div", { class: "words" }, ...lines(one.text, names), one.edited ? element("small", { class: "muted" }, "(edited)") : ""),
      one.files.length ? element("p", { class: "files" }, ...one.files.map((name) => element("span", { class: "chip" }, "📎 " + name))) : "",
      reactions.length ? element("ul", { class: "reactions", "aria-label": "Reactions" }, ...reactions) : ""));
}

export function thread(root, names, reply) {
  const button = element("button", { type: "button", class: "reply" }, "Reply in thread");
  button.addEventListener("click", () => reply(root));
  const replies = root.replies.map((one) => element("li", {}, message(one, names)));
  const count = root.reply_count === 1 ? "1 reply" : `${root.reply_count} replies`;
  return element("li", { class: "thread" }, message(root, names),
    replies.length ? element("div", { class: "below" }, element("p", { class: "count" }, count), element("ol", { "aria-label": "Replies" }, ...replies)) : "",
    button);
}

function chip(text, tone) {
  return element("span", { class: `chip ${tone ?? TONES[String(text).toLowerCase()] ?? ""}` }, String(text));
}

function day(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

function card(one) {
  const drawn = element("a", { class: "card", href: "/p/" + one.id.replaceAll("-", ""), draggable: "true" },
    element("h4", {}, one.title),
    one.chips.length + one.tags.length ? element("div", { class: "chips" }, ...one.chips.map((c) => chip(c.value)), ...one.tags.map((tag) => chip("#" + tag, "plain"))) : "",
    one.people.length || one.due ? element("div", { class: "foot" },
      ...one.people.map((name) => element("span", { class: "person" }, avatar(name), name)),
      one.due ? element("span", { class: "due", title: one.due }, "Due " + day(one.due)) : "") : "");
  drawn.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", one.id));
  return drawn;
}

// For those who cannot or will not drag: the same move by a small list below the card.
function mover(card, here, names, drop) {
  const box = element("select", { class: "mover", "aria-label": `Status of ${card.title}` }, ...names.map((name) => element("option", { value: name, selected: name === here ? "" : null }, name)));
  box.addEventListener("change", () => { box.blur(); drop(card.id, box.value); });
  return box;
}

export function lane(one, index, names, drop) {
  const count = names.length;
  const tone = index === 0 ? "todo" : index === count - 1 ? "done" : "doing";
  const list = one.cards.length ? one.cards.map((c) => element("li", {}, card(c), count > 1 ? mover(c, one.name, names, drop) : "")) : [element("li", { class: "empty" }, "No tasks")];
  const drawn = element("section", { class: `lane ${tone}`, "aria-label": `${one.name} column` },
    element("h3", {}, element("span", { class: "dot", "aria-hidden": "true" }), one.name, element("span", { class: "muted" }, String(one.count))),
    element("ul", {}, ...list));
  drawn.addEventListener("dragover", (event) => event.preventDefault());
  drawn.addEventListener("drop", (event) => { event.preventDefault(); drop(event.dataTransfer.getData("text/plain"), one.name); });
  return drawn;
}
