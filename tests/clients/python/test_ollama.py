"""ollama (PyPI) against the mock."""

import asyncio
import hashlib

import ollama
import pydantic
import pytest

SKY = "The sky is blue because of Rayleigh scattering."
USER = [{"role": "user", "content": "Why is the sky blue?"}]


@pytest.fixture
def client(mock):
    return ollama.Client(host=mock.url)


def ask(text):
    return [{"role": "user", "content": text}]


def get_weather(city: str) -> str:
    """Tells the weather.

    Args:
        city: Where.
    """
    return f"11 degrees in {city}"


def test_chat(client):
    answer = client.chat(model="llama3.2", messages=USER)
    assert answer.message.content == SKY
    assert answer.message.role == "assistant"
    assert (answer.model, answer.done, answer.done_reason) == ("llama3.2", True, "stop")
    assert answer.eval_count > 0 and answer.prompt_eval_count > 0
    assert answer.total_duration >= answer.load_duration + answer.prompt_eval_duration + answer.eval_duration > 0


def test_chat_stream(client):
    parts = list(client.chat(model="llama3.2", messages=USER, stream=True))
    assert "".join(part.message.content for part in parts) == SKY
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    assert len(parts) > 3
    assert parts[-1].eval_count == client.chat(model="llama3.2", messages=USER).eval_count


def test_chat_async_stream(mock):
    async def talk():
        client = ollama.AsyncClient(host=mock.url)
        return [part.message.content async for part in await client.chat(model="llama3.2", messages=USER, stream=True)]

    assert "".join(asyncio.run(talk())) == SKY


def test_generate(client):
    answer = client.generate(model="llama3.2", prompt="Why is the sky blue?")
    assert answer.response == SKY
    assert answer.context
    raw = client.generate(model="llama3.2", prompt="Why is the sky blue?", raw=True)
    assert raw.response == SKY
    assert raw.context is None


def test_generate_stream(client):
    parts = list(client.generate(model="llama3.2", prompt="Why is the sky blue?", stream=True))
    assert "".join(part.response for part in parts) == SKY
    assert parts[-1].done_reason == "stop"


def test_num_predict_cuts(client):
    answer = client.chat(model="llama3.2", messages=USER, options={"num_predict": 3})
    assert answer.done_reason == "length"
    assert answer.eval_count == 3
    assert SKY.startswith(answer.message.content) and answer.message.content != SKY


def test_unicode_arrives_whole(client):
    parts = client.chat(model="llama3.2", messages=ask("Say rain in Japanese."), stream=True)
    assert "".join(part.message.content for part in parts) == "雨 (ame) ☔ 😀"


@pytest.mark.parametrize("stream", [False, True])
def test_tools(client, stream):
    def chat(messages):
        answer = client.chat(model="llama3.2", messages=messages, tools=[get_weather], stream=stream)
        if not stream:
            return answer.message.content, list(answer.message.tool_calls or [])
        parts = list(answer)
        calls = [call for part in parts for call in part.message.tool_calls or []]
        return "".join(part.message.content for part in parts), calls

    messages = ask("What is the weather in Toronto?")
    _, calls = chat(messages)
    assert [(call.function.name, call.function.arguments) for call in calls] == [("get_weather", {"city": "Toronto"})]
    messages.append({"role": "assistant", "tool_calls": calls})
    messages.append({"role": "tool", "tool_name": "get_weather", "content": get_weather(**calls[0].function.arguments)})
    text, calls = chat(messages)
    assert (text, calls) == ("It is 11 degrees in Toronto.", [])


class Country(pydantic.BaseModel):
    name: str
    capital: str
    languages: list[str]


def test_structured_output(client):
    answer = client.chat(model="llama3.2", messages=ask("Describe Canada."), format=Country.model_json_schema())
    country = Country.model_validate_json(answer.message.content)
    assert country == Country(name="Canada", capital="Ottawa", languages=["English", "French"])


def test_structured_output_without_a_rule(client):
    answer = client.chat(model="llama3.2", messages=ask("Describe any country."), format=Country.model_json_schema())
    assert Country.model_validate_json(answer.message.content)


@pytest.mark.parametrize("stream", [False, True])
def test_thinking(client, stream):
    answer = client.chat(model="qwen3", messages=ask("What is 3^3?"), think=True, stream=stream)
    parts = list(answer) if stream else [answer]
    assert "".join(part.message.thinking or "" for part in parts) == "3 times 3 is 9, times 3 is 27."
    assert "".join(part.message.content for part in parts) == "27"
    quiet = client.chat(model="qwen3", messages=ask("What is 3^3?"), think=False)
    assert quiet.message.thinking is None
    assert quiet.message.content == "27"


def test_thinking_on_a_model_that_cannot(client):
    with pytest.raises(ollama.ResponseError, match='"llama3.2" does not support thinking') as caught:
        client.chat(model="llama3.2", messages=USER, think=True)
    assert caught.value.status_code == 400


def test_logprobs(client):
    answer = client.chat(model="llama3.2", messages=USER, logprobs=True, top_logprobs=2)
    assert "".join(one.token for one in answer.logprobs) == SKY
    assert all(one.logprob <= 0 and len(one.top_logprobs) == 2 for one in answer.logprobs)


def test_image(client, mock):
    client.chat(model="llava", messages=[{"role": "user", "content": "What is this?", "images": [b"\x89PNG\r\n\x1a\n"]}])
    [seen] = mock.requests("/api/chat")
    assert seen["body"]["messages"][0]["images"] == ["iVBORw0KGgo="]


def test_embed(client):
    answer = client.embed(model="nomic-embed-text", input=["a cat", "a dog", "a cat"])
    one, two, three = answer.embeddings
    assert one == three != two
    assert abs(sum(number * number for number in one) - 1) < 1e-4
    assert client.embed(model="nomic-embed-text", input="a cat").embeddings[0] == one
    cut = client.embed(model="nomic-embed-text", input="a cat", dimensions=16).embeddings[0]
    assert len(cut) == 16
    assert abs(sum(number * number for number in cut) - 1) < 1e-4
    assert answer.prompt_eval_count > 0


def test_embeddings_legacy(client):
    vector = client.embeddings(model="nomic-embed-text", prompt="a cat").embedding
    assert len(vector) == len(client.embed(model="nomic-embed-text", input="a cat").embeddings[0])
    assert client.embeddings(model="nomic-embed-text", prompt="").embedding == []


def test_unknown_model(client):
    for call in (
        lambda: client.chat(model="nope", messages=USER),
        lambda: list(client.chat(model="nope", messages=USER, stream=True)),
        lambda: client.generate(model="nope", prompt="Hello"),
    ):
        with pytest.raises(ollama.ResponseError) as caught:
            call()
        assert (caught.value.status_code, caught.value.error) == (404, "model 'nope' not found")
    with pytest.raises(ollama.ResponseError) as caught:
        client.embed(model="nope", input="Hello")
    assert (caught.value.status_code, caught.value.error) == (404, 'model "nope" not found, try pulling it first')


@pytest.mark.parametrize("stream", [False, True])
def test_server_fault(client, stream):
    with pytest.raises(ollama.ResponseError) as caught:
        list(client.chat(model="llama3.2", messages=ask("Fail."), stream=stream))
    assert caught.value.status_code == 500
    assert caught.value.error == "model runner has unexpectedly stopped"


def test_error_in_mid_stream(client):
    got = []
    with pytest.raises(ollama.ResponseError) as caught:
        for part in client.chat(model="llama3.2", messages=ask("Break off."), stream=True):
            got.append(part.message.content)
    assert "".join(got) == "One two three"
    assert caught.value.error == "an error was encountered while running the model"


def test_stream_without_done(client):
    parts = list(client.chat(model="llama3.2", messages=ask("Forget the end."), stream=True))
    assert "".join(part.message.content for part in parts) == "One two three four five."
    assert not any(part.done for part in parts)


def test_cut_connection(client):
    with pytest.raises(Exception) as caught:
        list(client.chat(model="llama3.2", messages=ask("Cut the line."), stream=True))
    assert "Protocol" in type(caught.value).__name__ or "ReadError" in type(caught.value).__name__


def test_slices_lose_nothing(client):
    parts = client.chat(model="llama3.2", messages=ask("Slice the rain."), stream=True)
    assert "".join(part.message.content for part in parts) == "雨 (ame) ☔ 😀"


def names(client):
    return sorted(model.model for model in client.list().models)


def test_model_life_cycle(client):
    before = names(client)
    assert "llama3.2:latest" in before
    statuses = [part.status for part in client.pull("phi4", stream=True)]
    assert statuses[0] == "pulling manifest"
    assert statuses[-1] == "success"
    assert names(client) == sorted([*before, "phi4:latest"])
    assert client.pull("phi4").status == "success"
    shown = client.show("phi4")
    assert "completion" in shown.capabilities
    assert shown.modelinfo["general.architecture"]
    assert shown.details.format == "gguf"
    client.copy("phi4", "acme/phi:new")
    assert "acme/phi:new" in names(client)
    assert client.create(model="acme/mario", from_="phi4", system="You are Mario.", stream=False).status == "success"
    assert client.show("acme/mario").modelfile.count("You are Mario.") == 1
    for name in ("phi4", "acme/phi:new", "acme/mario"):
        assert client.delete(name).status == "success"
    assert names(client) == before
    with pytest.raises(ollama.ResponseError) as caught:
        client.delete("phi4")
    assert (caught.value.status_code, caught.value.error) == (404, "model 'phi4' not found")
    with pytest.raises(ollama.ResponseError) as caught:
        client.show("phi4")
    assert (caught.value.status_code, caught.value.error) == (404, "model 'phi4:latest' not found")
    with pytest.raises(ollama.ResponseError) as caught:
        client.copy("phi4", "other")
    assert (caught.value.status_code, caught.value.error) == (404, 'model "phi4" not found')


def test_push(client):
    statuses = [part.status for part in client.push("llama3.2", stream=True)]
    assert statuses[0] == "retrieving manifest"
    assert statuses[-1] == "success"


def test_loaded_models(client):
    assert client.ps().models == []
    client.chat(model="llama3.2", messages=USER)
    client.chat(model="qwen3", messages=USER, keep_alive="1h")
    loaded = client.ps().models
    assert [model.model for model in loaded] == ["qwen3:latest", "llama3.2:latest"]
    assert loaded[0].expires_at > loaded[1].expires_at
    assert client.generate(model="qwen3", keep_alive=0).done_reason == "unload"
    assert [model.model for model in client.ps().models] == ["llama3.2:latest"]
    assert client.generate(model="qwen3").done_reason == "load"


def test_blobs(client, tmp_path, mock):
    path = tmp_path / "weights.gguf"
    path.write_bytes(b"GGUF" + bytes(60))
    digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert client.create_blob(path) == digest
    made = client.create(model="mine", files={"weights.gguf": digest}, stream=False)
    assert made.status == "success"
    assert "mine:latest" in names(client)


def test_bad_requests(client):
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat(model="llama3.2", messages=USER, keep_alive="10")
    assert (caught.value.status_code, caught.value.error) == (400, 'time: missing unit in duration "10"')
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat(model="llama3.2", messages=USER, options={"temperature": "hot"})
    assert (caught.value.status_code, caught.value.error) == (500, 'option "temperature" must be of type float32')
    with pytest.raises(ollama.ResponseError) as caught:
        client.embed(model="nomic-embed-text", input=["a", "b"], options={"num_ctx": True})
    assert caught.value.status_code == 500
