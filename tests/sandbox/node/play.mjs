// What the scripts share: play one scene, with what the test gives, and print what came of it as JSON.

export async function play(scenes) {
  const [name, given] = process.argv.slice(2);
  console.log(JSON.stringify(await scenes[name](JSON.parse(given))));
}

/** What a call is refused with; a call that succeeds is an error here. */
export async function refused(call) {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    return error;
  }
  throw new Error(`not refused: ${JSON.stringify(answer)}`);
}

/** All pages that an iterator of a client walks through. */
export async function all(pages) {
  const found = [];
  for await (const page of pages) found.push(page);
  return found;
}
