"""The tables of the manifest (see `manifest` for what the states mean)."""

from __future__ import annotations

__all__ = ["SCHEMA"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, digest TEXT NOT NULL, source TEXT NOT NULL,
    language TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('pending', 'indexed', 'deleted')));
CREATE UNIQUE INDEX IF NOT EXISTS documents_live ON documents (id) WHERE state = 'indexed';
CREATE INDEX IF NOT EXISTS documents_open ON documents (state, id) WHERE state <> 'indexed';
CREATE TABLE IF NOT EXISTS passages (
    key INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    id TEXT NOT NULL, ordinal INTEGER NOT NULL, text TEXT NOT NULL, first INTEGER NOT NULL,
    beyond INTEGER NOT NULL, source TEXT NOT NULL, language TEXT NOT NULL, heading TEXT NOT NULL,
    metadata TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passages_document ON passages (document);
CREATE INDEX IF NOT EXISTS passages_id ON passages (id);
CREATE TABLE IF NOT EXISTS features (
    key INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE, words TEXT NOT NULL, vector BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS labels (
    name TEXT NOT NULL, value TEXT NOT NULL, passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE,
    PRIMARY KEY (name, value, passage)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS labels_passage ON labels (passage);
CREATE TABLE IF NOT EXISTS names (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""
