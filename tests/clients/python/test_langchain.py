"""langchain-ollama (PyPI) against the mock."""

import asyncio

import ollama
import pydantic
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_ollama import ChatOllama, OllamaEmbeddings, OllamaLLM

SKY = "The sky is blue because of Rayleigh scattering."


@tool
def get_weather(city: str) -> str:
    """Tells the weather."""
    return f"11 degrees in {city}"


class Country(pydantic.BaseModel):
    """A country."""

    name: str
    capital: str
    languages: list[str]


@pytest.fixture
def chat(mock):
    return ChatOllama(model="llama3.2", base_url=mock.url, validate_model_on_init=True)


def test_invoke(chat):
    answer = chat.invoke("Why is the sky blue?")
    assert answer.content == SKY
    assert answer.response_metadata["done_reason"] == "stop"
    assert answer.usage_metadata["total_tokens"] == (
        answer.usage_metadata["input_tokens"] + answer.usage_metadata["output_tokens"]) > 0


def test_stream(chat):
    chunks = list(chat.stream("Why is the sky blue?"))
    assert "".join(chunk.content for chunk in chunks) == SKY
    assert len(chunks) > 3


def test_async(chat):
    async def talk():
        return "".join([chunk.content async for chunk in chat.astream("Why is the sky blue?")])

    assert asyncio.run(talk()) == SKY


def test_batch(chat):
    answers = chat.batch(["Why is the sky blue?", "Say rain in Japanese."])
    assert [answer.content for answer in answers] == [SKY, "雨 (ame) ☔ 😀"]


def test_completion(mock):
    llm = OllamaLLM(model="llama3.2", base_url=mock.url)
    assert llm.invoke("Why is the sky blue?") == SKY
    assert "".join(llm.stream("Why is the sky blue?")) == SKY


def test_tools(chat):
    bound = chat.bind_tools([get_weather])
    messages = [HumanMessage("What is the weather in Toronto?")]
    answer = bound.invoke(messages)
    [call] = answer.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Toronto"})
    result = get_weather.invoke(call)
    assert isinstance(result, ToolMessage)
    assert bound.invoke([*messages, answer, result]).content == "It is 11 degrees in Toronto."


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output(chat, method):
    structured = chat.with_structured_output(Country, method=method)
    # A rule knows Canada as text; a tool call for it comes by itself, from the schema.
    country = structured.invoke("Describe any country." if method == "function_calling" else "Describe Canada.")
    assert isinstance(country, Country)
    if method != "function_calling":
        assert country.capital == "Ottawa"


def test_reasoning(mock):
    chat = ChatOllama(model="qwen3", base_url=mock.url, reasoning=True)
    answer = chat.invoke("What is 3^3?")
    assert answer.content == "27"
    assert answer.additional_kwargs["reasoning_content"] == "3 times 3 is 9, times 3 is 27."


def test_embeddings(mock):
    embeddings = OllamaEmbeddings(model="nomic-embed-text", base_url=mock.url)
    cat, dog = embeddings.embed_documents(["a cat", "a dog"])
    assert cat == embeddings.embed_query("a cat") != dog


def test_unknown_model(mock):
    with pytest.raises(ollama.ResponseError, match="model 'nope' not found"):
        ChatOllama(model="nope", base_url=mock.url).invoke("Hello")
    with pytest.raises(ollama.ResponseError, match="try pulling it first"):
        OllamaEmbeddings(model="nope", base_url=mock.url).embed_query("Hello")
    with pytest.raises(pydantic.ValidationError, match="not found"):
        ChatOllama(model="nope", base_url=mock.url, validate_model_on_init=True)


def test_server_fault(chat):
    with pytest.raises(ollama.ResponseError) as caught:
        chat.invoke("Fail.")
    assert caught.value.status_code == 500


def test_error_in_mid_stream(chat):
    got = []
    with pytest.raises(ollama.ResponseError, match="an error was encountered while running the model"):
        for chunk in chat.stream("Break off."):
            got.append(chunk.content)
    assert "".join(got) == "One two three"


def test_slices_lose_nothing(chat):
    assert chat.invoke("Slice the rain.").content == "雨 (ame) ☔ 😀"
