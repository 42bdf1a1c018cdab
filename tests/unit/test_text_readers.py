"""Files to documents."""

import json
import os
from pathlib import Path

import pytest

from lira_rag.errors import InvalidInput, MissingDependency
from lira_rag.schema import Document
from lira_rag.text.border import DOCUMENT_BYTES
from lira_rag.text.pages import html_text, require
from lira_rag.text.readers import SUFFIXES, read_file, walk


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path) -> list[Document]:
    return list(read_file(path))


# --- one document a file -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "b.md", "C.TXT"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_text_file(tmp_path: Path, name: str, bom: bytes) -> None:
    path = write(tmp_path / name, bom + "# Habari\nমালামাল".encode())
    assert read(path) == [Document("# Habari\nমালামাল", id=path.as_posix(), source=path.as_posix())]


def test_the_id_does_not_change_with_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert read(write(path, "old"))[0].id == read(write(path, "new"))[0].id


@pytest.mark.parametrize(
    ("content", "byte", "offset", "encoding"),
    [
        ("caf\xe9".encode("cp1252"), "0xe9", 3, "WINDOWS-1252"),
        (b"\xef\xbb\xbfab\xff", "0xff", 5, "WINDOWS-1252"),
        ("Habari".encode("utf-16"), "0xff", 0, "UTF-16"),
    ],
)
@pytest.mark.parametrize("suffix", [".txt", ".html"])
def test_a_file_that_is_not_utf8(
    tmp_path: Path, content: bytes, byte: str, offset: int, encoding: str, suffix: str
) -> None:
    path = write(tmp_path / f"old{suffix}", content)
    with pytest.raises(InvalidInput) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path.as_posix()} is not UTF-8: byte {byte} at offset {offset} ")
    assert f"iconv -f {encoding} -t UTF-8 old{suffix}" in caught.value.hint


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_an_empty_file(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"none{suffix}", b"")
    with pytest.raises(InvalidInput, match=rf"none\{suffix} is empty"):
        read(path)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES - {".pdf", ".csv"}))
def test_a_file_of_white_space_is_empty(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InvalidInput, match=rf"none\{suffix} is empty"):
        read(write(tmp_path / f"none{suffix}", " \n\t\n"))


def test_a_csv_file_of_a_header_is_empty(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.csv is empty"):
        read(write(tmp_path / "none.csv", "id,text\n"))


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "big.txt"
    with path.open("wb") as file:
        file.truncate(DOCUMENT_BYTES + 1)
    with pytest.raises(InvalidInput, match=r"big.txt must have at most 20,971,520 bytes, but has 20,971,521"):
        read(path)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"a.docx: cannot read '.docx' files \(readable are .csv, .htm, "):
        read_file(write(tmp_path / "a.docx", "x"))
    with pytest.raises(InvalidInput, match=r"gone\.txt does not exist"):
        read_file(tmp_path / "gone.txt")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(InvalidInput, match=r"folder\.txt is a folder"):
        read_file(tmp_path / "folder.txt")


# --- HTML and PDF --------------------------------------------------------------------------------------------------


def test_html(tmp_path: Path) -> None:
    page = """<html><head><title> Return
      policy </title><style>p {}</style></head><body><h1>Returns &amp; <b>repairs</b></h1><p>Send it
      back.<br>Keep   the slip.</p><script>alert(1)</script><!-- note --><ul><li>one</li><li>two</li></ul>
      <h3>অর্ডার</h3><table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>end</body></html>"""
    (document,) = read(write(tmp_path / "page.html", page))
    assert document.text == (
        "# Returns & repairs\n\nSend it back.\nKeep the slip.\n\none\ntwo\n\n### অর্ডার\n\na b\nc\n\nend"
    )
    assert document.metadata == {"title": "Return policy"}


def test_html_without_the_tags_one_may_leave_out() -> None:
    assert html_text("<head><title>T</title><body><p>one<p>two") == ("one\n\ntwo", "T")


def test_html_that_nests_deep() -> None:
    assert html_text("<div>" * 3_000 + "x" + "</div>" * 3_000) == ("x", "")


def pdf_bytes(lines: list[str]) -> bytes:
    """A PDF with one line of Helvetica on each page."""
    pages = [
        f"<</Type/Page/Parent 2 0 R/Contents {4 + 2 * n + 1} 0 R/Resources<</Font<</F 3 0 R>>>>>>"
        for n in range(len(lines))
    ]
    objects = ["<</Type/Catalog/Pages 2 0 R>>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(lines)))
    objects.append(f"<</Type/Pages/Kids[{kids}]/Count {len(lines)}/MediaBox[0 0 300 300]>>")
    objects.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for page, line in zip(pages, lines, strict=True):
        stream = f"BT /F 12 Tf 20 200 Td ({line}) Tj ET"
        objects += [page, f"<</Length {len(stream)}>>stream\n{stream}\nendstream"]
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    end = (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF"
    )
    return (out + end).encode("latin-1")


def test_pdf(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", pdf_bytes(["First page", "Second page"]))
    assert read(path) == [
        Document("First page\n\nSecond page", id=path.as_posix(), source=path.as_posix(), metadata={"pages": 2})
    ]


def test_a_pdf_without_text(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"scan.pdf has no text on its 1 pages \(scanned\? run OCR first\)"):
        read(write(tmp_path / "scan.pdf", pdf_bytes([""])))


@pytest.mark.parametrize("content", [b"not a pdf", pdf_bytes(["x"])[:200]])
def test_a_damaged_pdf(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"bad.pdf cannot be read as PDF"):
        read(write(tmp_path / "bad.pdf", content))


def test_a_missing_parser_names_the_extra() -> None:
    with pytest.raises(MissingDependency, match=r"reading \.xyz files needs xyz-parser") as caught:
        require("no_such_parser_module", "xyz-parser", ".xyz files")
    assert 'pip install "lira-rag[files]"' in caught.value.hint


# --- one document a row -------------------------------------------------------------------------------------------


def test_jsonl(tmp_path: Path) -> None:
    rows = [
        {"text": "Habari", "id": "a1", "source": "faq", "language": "swa", "metadata": {"year": 2024}, "topic": "x"},
        {"text": "সালাম", "id": 7, "price": 2.5, "new": True, "tags": ["nested"], "bad key": 1, "nothing": None},
        {"text": "third"},
    ]
    lines = [json.dumps(row) for row in rows]
    path = write(tmp_path / "rows.jsonl", f"{lines[0]}\n\n{lines[1]}\r\n{lines[2]}")
    first, second, third = read(path)
    assert first == Document("Habari", "a1", "faq", "sw", {"topic": "x", "year": 2024})
    assert second == Document("সালাম", "7", path.as_posix(), None, {"price": 2.5, "new": True})
    assert third.id == f"{path.as_posix()}:4"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON: "),
        ('{"text": NaN}', "not JSON: NaN is no JSON number"),
        ("[" * 100_000, "not JSON: nested too deep"),
        ('["text"]', "must be a JSON object, but is a list"),
        ('{"body": "x"}', '"text" must be a str, but is missing'),
        ('{"text": 3}', '"text" must be a str, but is a int'),
        ('{"text": "x", "id": [1]}', '"id" must be a str or int, but is a list'),
        ('{"text": "x", "id": true}', '"id" must be a str or int, but is a bool'),
        ('{"text": "x", "source": 1}', '"source" must be a str, but is a int'),
        ('{"text": "x", "language": "swahili"}', "did you mean 'sw'"),
        ('{"text": "x", "metadata": [1]}', '"metadata" must be an object, but is a list'),
        ('{"text": "x", "metadata": {"a b": 1}}', "a metadata key must match"),
        ('{"text": "x", "metadata": {"a": [1]}}', "metadata must be str, int, float or bool, but 'a' is a list"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "rows.jsonl", '{"text": "good"}\n' + line + "\n")
    documents = read_file(path)
    assert next(documents).text == "good"
    with pytest.raises(InvalidInput) as caught:
        next(documents)
    assert str(caught.value).startswith(f"{path.as_posix()}:2: ")
    assert message in str(caught.value)


def test_a_row_without_text_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", '{"text": " "}\n{"text": "kept"}\n')
    assert [document.text for document in read(path)] == ["kept"]


def test_rows_that_are_not_utf8_name_the_byte_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", b'{"text": "good"}\n{"text": "\xe9"}\n')
    with pytest.raises(InvalidInput, match="byte 0xe9 at offset 27 "):
        read(path)


@pytest.mark.parametrize("column", ["text", "content", "body", "Text"])
def test_csv(tmp_path: Path, column: str) -> None:
    content = f'id,{column},topic,language\r\n1,"two\nlines, one cell",a,hi\r\n,second,,\r\n'
    path = write(tmp_path / "rows.csv", b"\xef\xbb\xbf" + content.encode())
    first, second = read(path)
    assert first == Document("two\nlines, one cell", "1", path.as_posix(), "hi", {"topic": "a"})
    assert second == Document("second", f"{path.as_posix()}:4", path.as_posix())


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        ("id,name\n1,x\n", 1, "must have a column text, content, body, but has id, name"),
        ("id,text\n1,a,b\n", 2, "must have 2 fields as the header, but has 3"),
        ('id,text\n1,"a\nb"\n2\n', 4, "must have 2 fields as the header, but has 1"),
        ('id,text\n1,a\n2,"open\n', 3, "not CSV"),
        ("id,text,language\n1,a,nope\n", 2, "language must be a BCP-47 tag"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, content: str, place: int, message: str) -> None:
    path = write(tmp_path / "rows.csv", content)
    with pytest.raises(InvalidInput) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path.as_posix()}:{place}: ")
    assert message in str(caught.value)


def test_a_csv_cell_may_be_long(tmp_path: Path) -> None:
    (document,) = read(write(tmp_path / "rows.csv", "text\n" + "x" * 500_000 + "\n"))
    assert len(document.text) == 500_000


# --- folders -------------------------------------------------------------------------------------------------------


def test_walk(tmp_path: Path) -> None:
    for name in ("b.txt", "a.md", "c.docx", ".hidden.txt", "sub/d.HTML", "sub/e", ".git/f.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / name, "x")
    skipped: list[Path] = []
    found = list(walk([tmp_path, tmp_path / "b.txt"], skipped))
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.md", "b.txt", "sub/d.HTML"]
    assert [path.relative_to(tmp_path).as_posix() for path in skipped] == ["c.docx", "sub/e"]


def test_walk_takes_named_files_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "c.docx", "x")
    assert list(walk([path])) == [path]
    with pytest.raises(InvalidInput, match="gone does not exist"):
        list(walk([tmp_path / "gone"]))


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_walk_does_not_follow_a_loop(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "x")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert list(walk([tmp_path])) == [tmp_path / "a.txt"]
