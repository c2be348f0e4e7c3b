"""A small JSON answer through FastAPI."""

from fastapi import FastAPI

app = FastAPI(openapi_url=None)


@app.get("/")
async def greet() -> dict[str, str]:
    return {"message": "Hello, World!"}
