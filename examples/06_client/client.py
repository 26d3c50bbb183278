#!/usr/bin/env python3
"""Talks to pipeline-serve with OpenAI's client: pip install openai

pipeline-serve gemma_chat.yaml gemma_text.yaml gemma_embed.yaml &
python3 client.py http://127.0.0.1:8080 gemma_text gemma_chat gemma_embed
"""

import sys

import openai


def go_on(client, model):
    """A text goes on; temperature 0 gives the same bytes each time, whoever else asks."""
    answer = client.completions.create(
        model=model, prompt="January, February, March,", max_tokens=6, temperature=0
    )
    print(f"{model}: {answer.choices[0].text!r}, {answer.usage.completion_tokens} tokens")


def talk(client, model):
    """A conversation, as it is written. Leaving the loop early stops the model."""
    stream = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Name three rivers."}],
        max_tokens=24,
        seed=7,
        stream=True,
    )
    print(f"{model}: ", end="")
    for event in stream:
        if event.choices:
            print(event.choices[0].delta.content or "", end="", flush=True)
    print()


def compare(client, model):
    """Two texts as vectors of length 1: their product says how near they are."""
    texts = ["A cat sleeps on the sofa.", "The kitten is asleep on the couch."]
    a, b = (row.embedding for row in client.embeddings.create(model=model, input=texts).data)
    print(f"{model}: {len(a)} numbers, near by {sum(x * y for x, y in zip(a, b)):.3f}")


def main(url, text=None, chat=None, embed=None):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none")
    print("models:", ", ".join(model.id for model in client.models.list()))
    for action, model in ((go_on, text), (talk, chat), (compare, embed)):
        if model:
            action(client, model)
    try:
        client.completions.create(model="no-such-model", prompt="Hi")
    except openai.NotFoundError as error:
        print("an error:", error.code)


if __name__ == "__main__":
    main(*sys.argv[1:])
