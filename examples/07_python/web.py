"""An endpoint that answers while it computes: uvicorn web:app. Needs fastapi and uvicorn.

For OpenAI's protocol there is pipeline-serve; this is for a handler among others of your own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import penstock
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel


class Question(BaseModel):
    text: str
    max_new_tokens: int = 32


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    model = os.environ.get("MODEL")
    with penstock.open("gemma_text.yaml", set={"model": model} if model else {}) as app.state.pipeline:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/answer")
async def answer(question: Question) -> dict[str, object]:
    try:
        result = await app.state.pipeline.acall(question.text, max_new_tokens=question.max_new_tokens)
    except penstock.Error as error:
        raise HTTPException(400 if error.code == "data" else 500, error.message) from None
    return {"text": result.text, "finish_reason": result.finish_reason}


@app.post("/stream")
async def stream(question: Question) -> StreamingResponse:
    # Who goes away cancels the task, and with it the request.
    pieces = app.state.pipeline.astream(question.text, max_new_tokens=question.max_new_tokens)
    return StreamingResponse(pieces, media_type="text/plain")
