"""anthropic (PyPI) against the mock."""

import asyncio

import anthropic
import pytest

SKY = "The sky is blue because of Rayleigh scattering."
USER = [{"role": "user", "content": "Why is the sky blue?"}]
COUNTRY = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "capital": {"type": "string"},
        "languages": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "capital", "languages"],
}
WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
def client(mock):
    return anthropic.Anthropic(base_url=mock.url, api_key="ollama", max_retries=0)


def ask(text):
    return [{"role": "user", "content": text}]


def test_message(client):
    answer = client.messages.create(model="llama3.2", max_tokens=100, messages=USER)
    [block] = answer.content
    assert (block.type, block.text) == ("text", SKY)
    assert (answer.type, answer.role, answer.model, answer.stop_reason) == (
        "message", "assistant", "llama3.2", "end_turn")
    assert answer.id.startswith("msg_")
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0


def test_message_stream(client):
    with client.messages.stream(model="llama3.2", max_tokens=100, messages=USER) as stream:
        events = list(stream)
        final = stream.get_final_message()
    assert final.content[0].text == SKY
    assert final.stop_reason == "end_turn"
    assert final.usage.input_tokens > 0 and final.usage.output_tokens > 0
    assert events[0].type == "message_start"
    assert events[-1].type == "message_stop"


def test_message_async_stream(mock):
    async def talk():
        async with anthropic.AsyncAnthropic(base_url=mock.url, api_key="any") as client:
            async with client.messages.stream(model="llama3.2", max_tokens=100, messages=USER) as stream:
                return "".join([text async for text in stream.text_stream])

    assert asyncio.run(talk()) == SKY


def test_system_and_blocks(client):
    answer = client.messages.create(
        model="llama3.2", max_tokens=100, system=[{"type": "text", "text": "Answer shortly."}],
        messages=[{"role": "user", "content": [{"type": "text", "text": "Why is the sky blue?"}]}])
    assert answer.content[0].text == SKY


def test_max_tokens(client):
    answer = client.messages.create(model="llama3.2", max_tokens=3, messages=USER)
    assert answer.stop_reason == "max_tokens"
    assert answer.usage.output_tokens == 3


def test_tools(client):
    messages = ask("What is the weather in Toronto?")
    answer = client.messages.create(model="llama3.2", max_tokens=100, messages=messages, tools=[WEATHER])
    assert answer.stop_reason == "tool_use"
    [use] = [block for block in answer.content if block.type == "tool_use"]
    assert (use.name, use.input) == ("get_weather", {"city": "Toronto"})
    messages.append({"role": "assistant", "content": [block.model_dump() for block in answer.content]})
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "11 degrees in Toronto"}
    messages.append({"role": "user", "content": [result]})
    answer = client.messages.create(model="llama3.2", max_tokens=100, messages=messages, tools=[WEATHER])
    assert answer.content[0].text == "It is 11 degrees in Toronto."


def test_tools_stream(client):
    with client.messages.stream(
        model="llama3.2", max_tokens=100, messages=ask("What is the weather in Toronto?"), tools=[WEATHER],
    ) as stream:
        final = stream.get_final_message()
    assert final.stop_reason == "tool_use"
    [use] = [block for block in final.content if block.type == "tool_use"]
    assert (use.name, use.input) == ("get_weather", {"city": "Toronto"})


def test_structured_output_by_a_tool(client):
    # This API has no response format here: a tool with the schema is how its users get one.
    tool = {"name": "describe", "description": "Describes a country.", "input_schema": COUNTRY}
    answer = client.messages.create(
        model="llama3.2", max_tokens=100, messages=ask("Describe any country."), tools=[tool],
        tool_choice={"type": "tool", "name": "describe"})
    [use] = [block for block in answer.content if block.type == "tool_use"]
    assert use.name == "describe"
    assert isinstance(use.input["name"], str) and isinstance(use.input["capital"], str)
    assert all(isinstance(language, str) for language in use.input["languages"])


@pytest.mark.parametrize("stream", [False, True])
def test_thinking(client, stream):
    wish = {
        "model": "qwen3", "max_tokens": 2000, "messages": ask("What is 3^3?"),
        "thinking": {"type": "enabled", "budget_tokens": 1024}}
    if stream:
        with client.messages.stream(**wish) as open_stream:
            answer = open_stream.get_final_message()
    else:
        answer = client.messages.create(**wish)
    thinking, text = answer.content
    assert (thinking.type, thinking.thinking) == ("thinking", "3 times 3 is 9, times 3 is 27.")
    assert (text.type, text.text) == ("text", "27")


def test_unknown_model(client):
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(model="nope", max_tokens=100, messages=USER)
    error = caught.value.body["error"]
    assert (error["type"], error["message"]) == ("not_found_error", "model 'nope' not found")
    assert caught.value.body["request_id"].startswith("req_")


def test_bad_request(client):
    for wrong, text in (
        ({"max_tokens": 0, "messages": USER}, "max_tokens is required and must be positive"),
        ({"max_tokens": 10, "messages": []}, "messages is required"),
    ):
        with pytest.raises(anthropic.BadRequestError) as caught:
            client.messages.create(model="llama3.2", **wrong)
        assert caught.value.body["error"] == {"type": "invalid_request_error", "message": text}


@pytest.mark.parametrize("stream", [False, True])
def test_server_fault(client, stream):
    with pytest.raises(anthropic.InternalServerError) as caught:
        client.messages.create(model="llama3.2", max_tokens=100, messages=ask("Fail."), stream=stream)
    assert caught.value.status_code == 500
    assert caught.value.body["error"] == {"type": "api_error", "message": "model runner has unexpectedly stopped"}


def test_retries_get_through_an_overload(client, mock):
    patient = client.with_options(max_retries=3)
    answer = patient.messages.create(model="llama3.2", max_tokens=100, messages=ask("Are you busy?"))
    assert answer.content[0].text == "Not any more."
    assert len(mock.requests("/v1/messages")) == 3


def test_error_in_mid_stream(client):
    # As the real server has it: the stream ends, and nothing says that it was not whole. The rule counts frames, and here
    # two come before the first text.
    events = list(client.messages.create(model="llama3.2", max_tokens=100, messages=ask("Break off."), stream=True))
    text = "".join(event.delta.text for event in events if event.type == "content_block_delta")
    assert text == "One"
    assert "message_stop" not in [event.type for event in events]


def test_what_is_not_there(client):
    with pytest.raises(anthropic.NotFoundError):
        client.messages.count_tokens(model="llama3.2", messages=USER)
