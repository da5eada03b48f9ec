// Lets people write comments on a page, and shows new ones: asks for the sandbox's version twice a second.

let version = null;

async function call(method, path, body) {
  const answer = await fetch(path, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error("The sandbox refused this.");
  return answer.json();
}

async function send(event) {
  event.preventDefault();
  const form = event.target;
  const text = form.querySelector("textarea").value.trim();
  if (!text) return;
  const user = document.getElementById("writer").value;
  await call("POST", "/sandbox/notion/comments", { [form.dataset.place]: form.dataset.id, user, text });
  form.reset();
  document.activeElement.blur();
}

// Whoever is writing is not disturbed: the page is drawn anew when nothing is typed.
const isWriting = () => [...document.querySelectorAll("textarea")].some((box) => box.value || box === document.activeElement);

async function poll() {
  try {
    const now = (await call("GET", "/sandbox/version")).version;
    if (version !== null && now !== version && !isWriting()) {
      const fresh = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), "text/html");
      const writer = document.getElementById("writer").value;
      document.querySelector(".discussions").replaceWith(fresh.querySelector(".discussions"));
      document.getElementById("writer").value = writer;
      listen();
      version = now;
    }
    version ??= now;
  } catch { /* the sandbox is away for a moment */ }
  setTimeout(poll, 400);
}

function listen() {
  for (const form of document.querySelectorAll("form.comment")) form.addEventListener("submit", send);
  for (const box of document.querySelectorAll("form.comment textarea")) {
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); box.form.requestSubmit(); }
    });
  }
}

listen();
poll();
