"""The fusion head that ships: it fits the packaged encoder and maps, is small, and leaves alone what it should."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lira_rag
from lira_rag import Lira
from lira_rag.arca.bins import encode_bins
from lira_rag.arca.maps import AnchorMaps, find_packaged
from lira_rag.encoders import load_encoder
from lira_rag.functional.alignment import unit
from lira_rag.lasr.head import LasrHead, packaged_head
from lira_rag.models import locate
from lira_rag.testing import FakeTranslator

pytestmark = pytest.mark.models
FOLDER = Path(lira_rag.__file__).parent / "checkpoints" / "lasr-e5-small"


async def test_it_fits_the_packaged_encoder_and_maps_and_moves_only_what_was_passed() -> None:
    encoder = load_encoder(locate("e5-small-int4"), name="e5-small-int4")
    maps = AnchorMaps.load(find_packaged(encoder.fingerprint) or Path(), encoder.fingerprint)
    assert packaged_head(encoder.fingerprint, maps.marks).head is not None
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000
    head = LasrHead.load(FOLDER, encoder.fingerprint, maps.marks)
    native = await encode_bins(encoder, ["Wane ne shugaban Najeriya na farko?"], "query", head.bins)
    english = await encode_bins(encoder, ["Who was the first president of Nigeria?"], "query", head.bins)
    rows = np.stack([native.rows, english.rows], axis=1)
    counts = np.stack([native.counts, english.counts], axis=1)
    evidence = np.ones((1, 2), dtype=np.float32)
    for language, moved in (("ha", True), ("sw", False), ("en", False)):
        anchored = maps(native.vectors, ["Wane ne shugaban Najeriya na farko?"], [language])
        fused = head.fuse(anchored, english.vectors, rows, counts, [language], evidence)
        assert bool(np.abs(fused - anchored).max() > 1e-3) is moved
    anchored = maps(native.vectors, ["Wane ne shugaban Najeriya na farko?"], ["ha"])
    fused = head.fuse(anchored, english.vectors, rows, counts, ["ha"], evidence)
    passages = ["Nnamdi Azikiwe was the first president of Nigeria.", "Bread is baked from flour, water and yeast."]
    answer, other = unit(await encoder.encode(passages, "passage")) @ fused[0]
    assert answer > other
    alone = head.fuse(anchored, english.vectors, rows, counts * np.float32([[[1], [0]]]), ["ha"], evidence)
    np.testing.assert_array_equal(alone, anchored)


async def test_maps_saved_again_keep_it_and_other_maps_are_said(tmp_path: Path) -> None:
    encoder = load_encoder(locate("e5-small-int4"), name="e5-small-int4")
    maps = AnchorMaps.load(find_packaged(encoder.fingerprint) or Path(), encoder.fingerprint)
    maps.card["notes"] = ["saved again"]
    maps.maps.pop("sw")
    maps.save(tmp_path / "same", encoder.fingerprint)
    maps.maps["ha"] = replace(maps.maps["ha"], strength=0.5)
    maps.save(tmp_path / "other", encoder.fingerprint)
    asked = "Wane ne shugaban Najeriya na farko?"
    translator = FakeTranslator({asked: ["Who was the first president of Nigeria?"]}, confidence=1.0)
    reasons = {}
    for name in ("same", "other"):
        settings = {"maps": str(tmp_path / name), "languages": ("ha", "en"), "chat": "none", "encoder": encoder}
        with Lira.create(None, translator=translator, **settings) as lira:
            lira.add(["Nnamdi Azikiwe was the first president of Nigeria.", "Bread is baked from flour and water."])
            legs = (await lira.aexplain(asked, k=1)).legs
        reasons[name] = next(leg.reason for leg in legs if leg.leg == "translated")
    assert reasons["same"] == "fused with the question by the trained head"
    assert reasons["other"].startswith("the fusion head is left out")
    assert "maps of: ha" in reasons["other"]
