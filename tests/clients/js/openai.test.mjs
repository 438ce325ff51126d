// openai (npm) against the mock.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { admin, ask, collected, RAIN, requests, SKY, url, WEATHER } from "./mock.mjs";

const client = new OpenAI({ baseURL: `${url}/v1/`, apiKey: "ollama", maxRetries: 0 });
const text = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
const Country = z.object({ name: z.string(), capital: z.string(), languages: z.array(z.string()) });

beforeEach(() => admin("POST", "/reset"));

test("chat", async () => {
  const answer = await client.chat.completions.create({ model: "llama3.2", messages: ask("Why is the sky blue?") });
  assert.equal(answer.choices[0].message.content, SKY);
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test("chat, streamed", async () => {
  const chunks = await collected(await client.chat.completions.create({
    model: "llama3.2", messages: ask("Why is the sky blue?"), stream: true, stream_options: { include_usage: true },
  }));
  assert.equal(text(chunks), SKY);
  assert.equal(chunks.at(-2).choices[0].finish_reason, "stop");
  assert.ok(chunks.at(-1).usage.total_tokens > 0);
});

test("tools", async () => {
  const messages = ask("What is the weather in Toronto?");
  const answer = await client.chat.completions.create({ model: "llama3.2", messages, tools: [WEATHER] });
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(answer.choices[0].finish_reason, "tool_calls");
  assert.equal(call.function.name, "get_weather");
  assert.deepEqual(JSON.parse(call.function.arguments), { city: "Toronto" });
  messages.push(answer.choices[0].message, { role: "tool", tool_call_id: call.id, content: "11 degrees in Toronto" });
  const second = await client.chat.completions.create({ model: "llama3.2", messages, tools: [WEATHER] });
  assert.equal(second.choices[0].message.content, "It is 11 degrees in Toronto.");
});

test("tools, streamed", async () => {
  const stream = client.chat.completions.stream({
    model: "llama3.2", messages: ask("What is the weather in Toronto?"), tools: [WEATHER],
  });
  const { choices: [choice] } = await stream.finalChatCompletion();
  assert.equal(choice.finish_reason, "tool_calls");
  assert.equal(choice.message.tool_calls[0].function.name, "get_weather");
  assert.deepEqual(JSON.parse(choice.message.tool_calls[0].function.arguments), { city: "Toronto" });
});

test("structured output", async () => {
  const answer = await client.chat.completions.parse({
    model: "llama3.2", messages: ask("Describe Canada."), response_format: zodResponseFormat(Country, "country"),
  });
  assert.deepEqual(answer.choices[0].message.parsed, { name: "Canada", capital: "Ottawa", languages: ["English", "French"] });
  const made = await client.chat.completions.parse({
    model: "llama3.2", messages: ask("Describe any country."), response_format: zodResponseFormat(Country, "country"),
  });
  Country.parse(made.choices[0].message.parsed);
});

test("embeddings", async () => {
  const packed = await client.embeddings.create({ model: "nomic-embed-text", input: ["a cat", "a dog"] });
  const plain = await client.embeddings.create({ model: "nomic-embed-text", input: ["a cat", "a dog"], encoding_format: "float" });
  assert.equal(packed.data.length, 2);
  for (const [index, { embedding }] of packed.data.entries()) {
    assert.ok(embedding.every((number, at) => Math.abs(number - plain.data[index].embedding[at]) < 1e-6));
  }
});

test("models", async () => {
  const ids = (await collected(client.models.list())).map((model) => model.id);
  assert.ok(ids.includes("llama3.2:latest"));
  assert.equal((await client.models.retrieve("llama3.2")).object, "model");
});

test("completions", async () => {
  const answer = await client.completions.create({ model: "llama3.2", prompt: "Why is the sky blue?" });
  assert.equal(answer.choices[0].text, SKY);
});

test("responses, whole and streamed", async () => {
  const answer = await client.responses.create({ model: "llama3.2", input: "Why is the sky blue?" });
  assert.equal(answer.output_text, SKY);
  const stream = client.responses.stream({ model: "llama3.2", input: "Why is the sky blue?" });
  const events = await collected(stream);
  assert.equal(events.at(-1).type, "response.completed");
  assert.equal((await stream.finalResponse()).output_text, SKY);
});

test("an unknown model", async () => {
  await assert.rejects(client.chat.completions.create({ model: "nope", messages: ask("Hello") }), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.error.message, "model 'nope' not found");
    assert.equal(error.type, "not_found_error");
    return true;
  });
});

test("a fault of the server", async () => {
  await assert.rejects(client.chat.completions.create({ model: "llama3.2", messages: ask("Fail.") }), (error) => {
    assert.ok(error instanceof OpenAI.InternalServerError);
    assert.equal(error.error.message, "model runner has unexpectedly stopped");
    return true;
  });
});

test("retries get through an overload", async () => {
  const answer = await client.chat.completions.create(
    { model: "llama3.2", messages: ask("Are you busy?") }, { maxRetries: 3 },
  );
  assert.equal(answer.choices[0].message.content, "Not any more.");
  assert.equal((await requests("/v1/chat/completions")).length, 3);
});

test("an error in mid-stream", async () => {
  // As the real server has it: the error is lost, the stream ends early.
  const chunks = await collected(await client.chat.completions.create({
    model: "llama3.2", messages: ask("Break off."), stream: true,
  }));
  assert.equal(text(chunks), "One two three");
  assert.ok(!chunks.some((chunk) => chunk.choices[0]?.finish_reason));
});

test("a cut connection", async () => {
  await assert.rejects(async () => collected(await client.chat.completions.create({
    model: "llama3.2", messages: ask("Cut the line."), stream: true,
  })), /terminated/);
});

test("slices lose nothing", async () => {
  const chunks = await collected(await client.chat.completions.create({
    model: "llama3.2", messages: ask("Slice the rain."), stream: true,
  }));
  assert.equal(text(chunks), RAIN);
});
