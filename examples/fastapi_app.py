"""Notes in a database, with FastAPI: alsvid examples.fastapi_app:app

    curl -X POST -H 'content-type: application/json' -d '{"text": "milk"}' http://127.0.0.1:8000/notes
    curl http://127.0.0.1:8000/notes

and http://127.0.0.1:8000/docs in a browser. The lifespan opens the database, creates the table and closes
the database; requests find it in their state. NOTES_DATABASE names the file.
"""

import os
from contextlib import asynccontextmanager
from typing import Annotated

import aiosqlite
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, Field


class NewNote(BaseModel):
    text: str = Field(min_length=1, max_length=1000)


class Note(NewNote):
    id: int


@asynccontextmanager
async def lifespan(app):
    async with aiosqlite.connect(os.environ.get("NOTES_DATABASE", "notes.sqlite3")) as database:
        await database.execute(
            "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"
        )
        await database.commit()
        print("notes: the database is open", flush=True)
        yield {"database": database}
    print("notes: the database is closed", flush=True)


app = FastAPI(title="Notes", lifespan=lifespan)


def opened(request: Request):
    return request.state.database


Database = Annotated[aiosqlite.Connection, Depends(opened)]


@app.get("/notes")
async def list_notes(database: Database) -> list[Note]:
    async with database.execute("SELECT id, text FROM notes ORDER BY id") as rows:
        return [Note(id=number, text=text) async for number, text in rows]


@app.post("/notes", status_code=201)
async def add_note(note: NewNote, after: BackgroundTasks, database: Database) -> Note:
    cursor = await database.execute("INSERT INTO notes (text) VALUES (?)", (note.text,))
    await database.commit()
    after.add_task(print, f"notes: {cursor.lastrowid} was added", flush=True)  # when the answer has left
    return Note(id=cursor.lastrowid, text=note.text)


@app.get("/notes/{number}")
async def read_note(number: int, database: Database) -> Note:
    async with database.execute("SELECT text FROM notes WHERE id = ?", (number,)) as rows:
        row = await rows.fetchone()
    if row is None:
        raise HTTPException(404, "there is no such note")
    return Note(id=number, text=row[0])


@app.put("/notes/{number}")
async def change_note(number: int, note: NewNote, database: Database) -> Note:
    cursor = await database.execute("UPDATE notes SET text = ? WHERE id = ?", (note.text, number))
    await database.commit()
    if cursor.rowcount == 0:
        raise HTTPException(404, "there is no such note")
    return Note(id=number, text=note.text)


@app.delete("/notes/{number}", status_code=204)
async def delete_note(number: int, database: Database) -> None:
    await database.execute("DELETE FROM notes WHERE id = ?", (number,))
    await database.commit()
