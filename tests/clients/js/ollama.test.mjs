// ollama (npm) against the mock.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Ollama } from "ollama";
import { z } from "zod";
import { admin, ask, collected, RAIN, requests, SKY, url, WEATHER } from "./mock.mjs";

const client = new Ollama({ host: url });
const text = (parts) => parts.map((part) => part.message.content).join("");
const Country = z.object({ name: z.string(), capital: z.string(), languages: z.array(z.string()) });

beforeEach(() => admin("POST", "/reset"));

test("chat", async () => {
  const answer = await client.chat({ model: "llama3.2", messages: ask("Why is the sky blue?") });
  assert.equal(answer.message.content, SKY);
  assert.equal(answer.message.role, "assistant");
  assert.equal(answer.done_reason, "stop");
  assert.ok(answer.eval_count > 0 && answer.total_duration > 0);
});

test("chat, streamed", async () => {
  const parts = await collected(await client.chat({ model: "llama3.2", messages: ask("Why is the sky blue?"), stream: true }));
  assert.equal(text(parts), SKY);
  assert.deepEqual(parts.map((part) => part.done), [...Array(parts.length - 1).fill(false), true]);
});

test("generate, whole and streamed", async () => {
  const answer = await client.generate({ model: "llama3.2", prompt: "Why is the sky blue?" });
  assert.equal(answer.response, SKY);
  assert.ok(answer.context.length > 0);
  const parts = await collected(await client.generate({ model: "llama3.2", prompt: "Why is the sky blue?", stream: true }));
  assert.equal(parts.map((part) => part.response).join(""), SKY);
});

for (const stream of [false, true]) {
  test(`tools, stream: ${stream}`, async () => {
    const chat = async (messages) => {
      const answer = await client.chat({ model: "llama3.2", messages, tools: [WEATHER], stream });
      const parts = stream ? await collected(answer) : [answer];
      return { text: text(parts), calls: parts.flatMap((part) => part.message.tool_calls ?? []) };
    };
    const messages = ask("What is the weather in Toronto?");
    const { calls } = await chat(messages);
    assert.equal(calls.length, 1);
    assert.equal(calls[0].function.name, "get_weather");
    assert.deepEqual(calls[0].function.arguments, { city: "Toronto" });
    messages.push({ role: "assistant", content: "", tool_calls: calls });
    messages.push({ role: "tool", tool_name: "get_weather", content: "11 degrees in Toronto" });
    const second = await chat(messages);
    assert.equal(second.text, "It is 11 degrees in Toronto.");
    assert.deepEqual(second.calls, []);
  });
}

test("structured output", async () => {
  const format = z.toJSONSchema(Country);
  const known = await client.chat({ model: "llama3.2", messages: ask("Describe Canada."), format });
  assert.deepEqual(Country.parse(JSON.parse(known.message.content)).capital, "Ottawa");
  const made = await client.chat({ model: "llama3.2", messages: ask("Describe any country."), format });
  Country.parse(JSON.parse(made.message.content));
});

test("thinking", async () => {
  const answer = await client.chat({ model: "qwen3", messages: ask("What is 3^3?"), think: true });
  assert.equal(answer.message.thinking, "3 times 3 is 9, times 3 is 27.");
  assert.equal(answer.message.content, "27");
});

test("embeddings", async () => {
  const { embeddings } = await client.embed({ model: "nomic-embed-text", input: ["a cat", "a dog", "a cat"] });
  assert.deepEqual(embeddings[0], embeddings[2]);
  assert.notDeepEqual(embeddings[0], embeddings[1]);
  assert.ok(Math.abs(Math.hypot(...embeddings[0]) - 1) < 1e-4);
  const { embedding } = await client.embeddings({ model: "nomic-embed-text", prompt: "a cat" });
  assert.equal(embedding.length, embeddings[0].length);
});

test("an unknown model", async () => {
  for (const stream of [false, true]) {
    await assert.rejects(client.chat({ model: "nope", messages: ask("Hello"), stream }), (error) => {
      assert.equal(error.status_code, 404);
      assert.equal(error.message, "model 'nope' not found");
      return true;
    });
  }
  await assert.rejects(client.embed({ model: "nope", input: "Hello" }), /try pulling it first/);
});

test("a fault of the server", async () => {
  await assert.rejects(client.chat({ model: "llama3.2", messages: ask("Fail.") }), (error) => {
    assert.equal(error.status_code, 500);
    assert.equal(error.message, "model runner has unexpectedly stopped");
    return true;
  });
});

test("an error in mid-stream", async () => {
  const got = [];
  await assert.rejects(async () => {
    for await (const part of await client.chat({ model: "llama3.2", messages: ask("Break off."), stream: true })) {
      got.push(part.message.content);
    }
  }, /an error was encountered while running the model/);
  assert.equal(got.join(""), "One two three");
});

test("a stream without its end", async () => {
  await assert.rejects(
    async () => collected(await client.chat({ model: "llama3.2", messages: ask("Forget the end."), stream: true })),
    /Did not receive done or success response in stream/,
  );
});

test("a cut connection", async () => {
  await assert.rejects(async () => collected(await client.chat({ model: "llama3.2", messages: ask("Cut the line."), stream: true })), /terminated/);
});

test("slices lose nothing", async () => {
  const parts = await collected(await client.chat({ model: "llama3.2", messages: ask("Slice the rain."), stream: true }));
  assert.equal(text(parts), RAIN);
});

test("a stream given up ends the request", async () => {
  const stream = await client.chat({ model: "llama3.2", messages: ask("Stall."), stream: true });
  const read = collected(stream);
  setTimeout(() => stream.abort(), 200);
  await assert.rejects(read, /abort/i);
  assert.equal((await client.version()).version.split(".").length, 3);
});

test("the life cycle of a model", async () => {
  const names = async () => (await client.list()).models.map((model) => model.name).sort();
  const before = await names();
  assert.ok(before.includes("llama3.2:latest"));
  const statuses = (await collected(await client.pull({ model: "phi4", stream: true }))).map((part) => part.status);
  assert.equal(statuses[0], "pulling manifest");
  assert.equal(statuses.at(-1), "success");
  assert.deepEqual(await names(), [...before, "phi4:latest"].sort());
  const shown = await client.show({ model: "phi4" });
  assert.ok(shown.capabilities.includes("completion"));
  await client.copy({ source: "phi4", destination: "acme/phi:new" });
  const made = await client.create({ model: "acme/mario", from: "phi4", system: "You are Mario." });
  assert.equal(made.status, "success");
  assert.equal((await client.show({ model: "acme/mario" })).system, "You are Mario.");
  await client.chat({ model: "phi4", messages: ask("Hello"), keep_alive: "1h" });
  assert.deepEqual((await client.ps()).models.map((model) => model.name), ["phi4:latest"]);
  for (const model of ["phi4", "acme/phi:new", "acme/mario"]) await client.delete({ model });
  assert.deepEqual(await names(), before);
  await assert.rejects(client.delete({ model: "phi4" }), /model 'phi4' not found/);
});

test("bodies arrive as the client wrote them", async () => {
  await client.chat({ model: "llama3.2", messages: ask("Why is the sky blue?"), options: { temperature: 0 } });
  const [seen] = await requests("/api/chat");
  assert.equal(seen.method, "POST");
  assert.deepEqual(seen.body.options, { temperature: 0 });
  assert.deepEqual(seen.body.messages, ask("Why is the sky blue?"));
});
