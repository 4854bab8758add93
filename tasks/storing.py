"""Putting what a compile made into the artefact store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from core_lib.helper import ArtefactStore
from tasks.retries import aws_task
from tasks.workshop import Workshop

WRITERS = 8


FILES = "files/"
"""What the keys of users' files begin with; all others hold the content's hash."""


def store_files(store: ArtefactStore, files: Mapping[str, bytes]) -> None:
    """Put the files of a compile, by key, into the store. What is there already stays; a user's file only if it is the same.

    Raises:
        ArtefactError: a file cannot be stored.
    """
    with ThreadPoolExecutor(WRITERS, thread_name_prefix="artefacts") as pool:
        for _ in pool.map(lambda item: _put(store, *item), files.items()):
            pass


def _put(store: ArtefactStore, key: str, body: bytes) -> None:
    if not store.exists(key) or (key.startswith(FILES) and store.get(key) != body):
        store.put(key, body)


@aws_task("store files")
async def store_compilation(shop: Workshop) -> None:
    """See `store_files`."""
    if shop.compilation is not None:
        await asyncio.to_thread(store_files, shop.store, shop.compilation.files)
