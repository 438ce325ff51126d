"""openai (PyPI) against the mock."""

import asyncio
import json

import openai
import pydantic
import pytest

SKY = "The sky is blue because of Rayleigh scattering."
USER = [{"role": "user", "content": "Why is the sky blue?"}]
WEATHER = [{
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}]


@pytest.fixture
def client(mock):
    return openai.OpenAI(base_url=f"{mock.url}/v1/", api_key="ollama", max_retries=0)


def ask(text):
    return [{"role": "user", "content": text}]


def test_chat(client):
    answer = client.chat.completions.create(model="llama3.2", messages=USER)
    [choice] = answer.choices
    assert choice.message.content == SKY
    assert (choice.message.role, choice.finish_reason) == ("assistant", "stop")
    assert (answer.object, answer.model, answer.system_fingerprint) == ("chat.completion", "llama3.2", "fp_ollama")
    assert answer.id.startswith("chatcmpl-")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_chat_stream(client):
    chunks = list(client.chat.completions.create(
        model="llama3.2", messages=USER, stream=True, stream_options={"include_usage": True}))
    *body, finish, usage = chunks
    assert "".join(chunk.choices[0].delta.content for chunk in body) == SKY
    assert [chunk.choices[0].finish_reason for chunk in body] == [None] * len(body)
    assert [chunk.choices[0].delta.role for chunk in body] == ["assistant"] + [None] * (len(body) - 1)
    assert finish.choices[0].finish_reason == "stop"
    assert finish.choices[0].delta.content is None
    assert usage.choices == []
    assert usage.usage.total_tokens > 0
    assert len({chunk.id for chunk in chunks}) == len({chunk.created for chunk in chunks}) == 1


def test_chat_stream_without_usage(client):
    chunks = list(client.chat.completions.create(model="llama3.2", messages=USER, stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


def test_chat_async(mock):
    async def talk():
        async with openai.AsyncOpenAI(base_url=f"{mock.url}/v1", api_key="any") as client:
            stream = await client.chat.completions.create(model="llama3.2", messages=USER, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(talk()) == SKY


def test_parts_of_a_message(client, mock):
    pixel = "data:image/png;base64,iVBORw0KGgo="
    content = [{"type": "text", "text": "Why is the sky blue?"}, {"type": "image_url", "image_url": {"url": pixel}}]
    answer = client.chat.completions.create(model="llava", messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content
    with pytest.raises(openai.BadRequestError, match="image URLs are not currently supported"):
        content[1]["image_url"]["url"] = "https://example.com/cat.png"
        client.chat.completions.create(model="llava", messages=[{"role": "user", "content": content}])


def test_max_tokens(client):
    answer = client.chat.completions.create(model="llama3.2", messages=USER, max_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 3


def test_tools(client):
    messages = ask("What is the weather in Toronto?")
    answer = client.chat.completions.create(model="llama3.2", messages=messages, tools=WEATHER)
    [choice] = answer.choices
    [call] = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == ""
    assert call.id.startswith("call_")
    assert (call.type, call.function.name) == ("function", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Toronto"}
    messages.append(choice.message.model_dump(exclude_none=True))
    messages.append({"role": "tool", "tool_call_id": call.id, "content": "11 degrees in Toronto"})
    answer = client.chat.completions.create(model="llama3.2", messages=messages, tools=WEATHER)
    assert answer.choices[0].message.content == "It is 11 degrees in Toronto."


def test_tools_stream(client):
    with client.chat.completions.stream(
        model="llama3.2", messages=ask("What is the weather in Toronto?"), tools=WEATHER,
    ) as stream:
        for _ in stream:
            pass
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Toronto"})


class Country(pydantic.BaseModel):
    name: str
    capital: str
    languages: list[str]


def test_structured_output(client):
    answer = client.chat.completions.parse(
        model="llama3.2", messages=ask("Describe Canada."), response_format=Country)
    assert answer.choices[0].message.parsed == Country(name="Canada", capital="Ottawa", languages=["English", "French"])


def test_structured_output_without_a_rule(client):
    answer = client.chat.completions.parse(
        model="llama3.2", messages=ask("Describe any country."), response_format=Country)
    assert isinstance(answer.choices[0].message.parsed, Country)
    loose = client.chat.completions.create(
        model="llama3.2", messages=ask("Anything."), response_format={"type": "json_object"})
    assert isinstance(json.loads(loose.choices[0].message.content), dict)


def test_reasoning(client):
    answer = client.chat.completions.create(model="qwen3", messages=ask("What is 3^3?"), reasoning_effort="high")
    assert answer.choices[0].message.content == "27"
    assert answer.choices[0].message.model_extra["reasoning"] == "3 times 3 is 9, times 3 is 27."
    quiet = client.chat.completions.create(model="qwen3", messages=ask("What is 3^3?"), reasoning_effort="none")
    assert "reasoning" not in quiet.choices[0].message.model_extra


def test_logprobs(client):
    answer = client.chat.completions.create(model="llama3.2", messages=USER, logprobs=True, top_logprobs=2)
    tokens = answer.choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == SKY
    assert all(len(token.top_logprobs) == 2 for token in tokens)


def test_completions(client):
    answer = client.completions.create(model="llama3.2", prompt="Why is the sky blue?")
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == (SKY, "stop")
    assert answer.object == "text_completion"
    chunks = list(client.completions.create(model="llama3.2", prompt="Why is the sky blue?", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == SKY
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_embeddings(client):
    # The client asks for base64 by itself.
    packed = client.embeddings.create(model="nomic-embed-text", input=["a cat", "a dog"])
    plain = client.embeddings.create(model="nomic-embed-text", input=["a cat", "a dog"], encoding_format="float")
    assert [item.index for item in packed.data] == [0, 1]
    for left, right in zip(packed.data, plain.data):
        assert left.embedding == pytest.approx(right.embedding, abs=1e-6)
    assert packed.data[0].embedding != packed.data[1].embedding
    assert packed.usage.prompt_tokens > 0
    short = client.embeddings.create(model="nomic-embed-text", input="a cat", dimensions=8)
    assert len(short.data[0].embedding) == 8


def test_models(client):
    assert "llama3.2:latest" in [model.id for model in client.models.list()]
    assert client.models.retrieve("llama3.2").owned_by == "library"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nope")


def test_responses(client):
    answer = client.responses.create(model="llama3.2", input="Why is the sky blue?")
    assert answer.output_text == SKY
    assert answer.status == "completed"
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_responses_stream(client):
    events = list(client.responses.create(model="llama3.2", input="Why is the sky blue?", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].type == "response.created"
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == SKY
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == SKY


def test_responses_tools(client):
    tool = {"type": "function", "strict": False, **WEATHER[0]["function"]}
    answer = client.responses.create(model="llama3.2", input="What is the weather in Toronto?", tools=[tool])
    [call] = [item for item in answer.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Toronto"})
    answer = client.responses.create(
        model="llama3.2",
        input=[
            {"role": "user", "content": "What is the weather in Toronto?"},
            {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
            {"type": "function_call_output", "call_id": call.call_id, "output": "11 degrees in Toronto"},
        ],
        tools=[tool])
    assert answer.output_text == "It is 11 degrees in Toronto."


def test_responses_structured_output(client):
    answer = client.responses.parse(model="llama3.2", input="Describe Canada.", text_format=Country)
    assert answer.output_parsed.capital == "Ottawa"


def test_unknown_model(client):
    for call in (
        lambda: client.chat.completions.create(model="nope", messages=USER),
        lambda: client.chat.completions.create(model="nope", messages=USER, stream=True),
        lambda: client.responses.create(model="nope", input="Hello"),
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            call()
        assert caught.value.body["message"] == "model 'nope' not found"
        assert caught.value.body["type"] == "not_found_error"
        assert caught.value.body["code"] is None


def test_bad_request(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="llama3.2", messages=[])
    assert caught.value.body["message"] == "[] is too short - 'messages'"
    assert caught.value.body["type"] == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
def test_server_fault(client, stream):
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="llama3.2", messages=ask("Fail."), stream=stream)
    assert caught.value.status_code == 500
    assert caught.value.body["message"] == "model runner has unexpectedly stopped"
    assert caught.value.body["type"] == "api_error"


def test_retries_get_through_an_overload(client, mock):
    patient = client.with_options(max_retries=3)
    answer = patient.chat.completions.create(model="llama3.2", messages=ask("Are you busy?"))
    assert answer.choices[0].message.content == "Not any more."
    assert len(mock.requests("/v1/chat/completions")) == 3


def test_error_in_mid_stream(client):
    # As the real server has it: the error is lost, the stream ends early.
    chunks = list(client.chat.completions.create(model="llama3.2", messages=ask("Break off."), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "One two three"
    assert not any(chunk.choices[0].finish_reason for chunk in chunks)


def test_cut_connection(client):
    with pytest.raises(Exception) as caught:
        list(client.chat.completions.create(model="llama3.2", messages=ask("Cut the line."), stream=True))
    assert "Protocol" in type(caught.value).__name__ or isinstance(caught.value, openai.APIConnectionError)


def test_slices_lose_nothing(client):
    chunks = client.chat.completions.create(model="llama3.2", messages=ask("Slice the rain."), stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "雨 (ame) ☔ 😀"
