"""The adaptor and the fusion head as models of the Hub's own kind: save_pretrained, from_pretrained, push_to_hub.

Each is the torch module itself with `huggingface_hub.PyTorchModelHubMixin` beside it. What is written is what
`Arca.load` and `LasrHead.load` read (safetensors and a JSON card with its hash), the mixin's config.json, and a
README.md. Loading is ours throughout: safetensors only, every tensor named and of the right shape, and the backbone
checked. The mixin by itself would take a pickle where there are no safetensors, and leave out what does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from huggingface_hub import ModelCard, PyTorchModelHubMixin

from lira_rag.arca import Arca
from lira_rag.errors import CheckpointError, ConfigError
from lira_rag.interop.cards import About, card_text
from lira_rag.interop.hub import Api, fetched, upload
from lira_rag.lasr.head import ANY, LasrHead
from lira_rag.modules.anchor import AnchorAdaptor
from lira_rag.modules.fusion import FusionHead
from lira_rag.modules.saving import read_card
from lira_rag.protocols import Encoder, TokenEncoder

__all__ = ["HubAdaptor", "HubHead"]

ABOUT = "about"


class _Travelling(PyTorchModelHubMixin):
    """What both share: a card of ours, and private repositories."""

    about: About

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **given: Any) -> Self:
        """Read a checkpoint from a folder or the Hub, in evaluation mode.

        Args:
            pretrained_model_name_or_path: a folder, or ``owner/name``.
            **given: the encoder and what else it was trained with (see each class), and ``revision`` and the other
                arguments of `huggingface_hub.snapshot_download`; pin a commit in production.

        Raises:
            ModelNotFound: there is no such folder or repository, or it cannot be reached.
            CheckpointError: it holds no safetensors of ours, something damaged, or a config.json of something else.
            FingerprintMismatch: it was made for another backbone; both are named.
        """
        known = ("revision", "cache_dir", "token", "force_download", "local_files_only")
        folder = fetched(pretrained_model_name_or_path, **{name: given.pop(name) for name in known if name in given})
        found: Self = super().from_pretrained(folder, **given)
        return found

    def push_to_hub(  # type: ignore[override]
        self, repo_id: str, *, private: bool = True, api: Api | None = None, token: str | None = None, **commit: Any
    ) -> Any:
        """Upload to a model repository, which is made private unless said otherwise.

        Args:
            repo_id: ``owner/name``.
            api: a `huggingface_hub.HfApi` of your own.
            token: where no `api` is given.
            **commit: ``model_card_kwargs``, and arguments of `HfApi.upload_folder` such as ``commit_message``.

        Returns:
            What `upload_folder` gives.
        """
        kept = {name: commit.pop(name) for name in ("config", "model_card_kwargs") if name in commit}
        if branch := commit.pop("branch", None):
            commit["revision"] = branch
        with TemporaryDirectory(prefix="lira-hub-") as folder:
            self.save_pretrained(folder, **kept)
            return upload(folder, repo_id, private=private, api=api, token=token, **commit)

    def generate_model_card(self, *args: Any, **changes: str) -> ModelCard:
        """The card; `changes` are fields of `About` to say otherwise."""
        return ModelCard(self._card_text(replace(self.about, **changes)))

    def _card_text(self, about: About) -> str:
        raise NotImplementedError  # each class has its own

    def _tags(self, own: str) -> list[str]:
        tags = self._hub_mixin_info.model_card_data.tags or []
        return sorted({*tags, "lira", own, "cross-lingual-retrieval", "sentence-similarity"})


class HubAdaptor(AnchorAdaptor, _Travelling):
    """Arca's adaptor A that saves, loads and pushes itself; make one by `of`.

    ``HubAdaptor.from_pretrained(source, native=encoder, english=None)`` checks both encoders; what it gives is an
    adaptor for `Arca`.
    """

    native_fingerprint: str
    english_fingerprint: str
    sources: str
    figures: dict[str, dict[str, float]]

    @classmethod
    def of(
        cls, arca: Arca, about: About, sources: str = "", figures: Mapping[str, Mapping[str, float]] | None = None
    ) -> HubAdaptor:
        """The adaptor of an Arca, with a copy of its weights.

        Args:
            arca: with an adaptor.
            about: for the model card.
            sources: the data it was trained on, for the card.
            figures: what was measured, by BCP-47 tag and then by name, for the card.

        Raises:
            ConfigError: there is no adaptor. Maps by language travel by `interop.hub.save_pretrained`.
        """
        if arca.adaptor is None:
            raise ConfigError("there is no adaptor to save", hint="for maps, use lira_rag.interop.hub.save_pretrained")
        made = cls(**arca.adaptor.config)
        made.load_state_dict(arca.adaptor.state_dict())
        made.about, made.sources = about, sources
        made.figures = {tag: dict(own) for tag, own in (figures or {}).items()}
        made.native_fingerprint = arca.native.fingerprint
        made.english_fingerprint = "" if arca.english is None else arca.english.fingerprint
        return made.eval()

    def _save_pretrained(self, save_directory: Path) -> None:
        from lira_rag.arca.encoder import NAME
        from lira_rag.modules.saving import write_module

        card = {"config": self.config, "native": self.native_fingerprint, "english": self.english_fingerprint}
        told = {ABOUT: asdict(self.about), "sources": self.sources, "figures": self.figures}
        write_module(save_directory, NAME, self, {**card, **told})

    @classmethod
    def _from_pretrained(  # type: ignore[override]
        cls, *, model_id: str, native: TokenEncoder, english: TokenEncoder | None = None, **given: Any
    ) -> HubAdaptor:
        from lira_rag.arca.encoder import NAME

        arca = Arca.load(Path(model_id), native, english)
        if arca.adaptor is None:
            raise CheckpointError(f"{model_id} holds maps by language, and no adaptor")
        card = read_card(Path(model_id), NAME)
        _same_sizes(model_id, given, arca.adaptor.config)
        return cls.of(arca, _about(card), card.get("sources", ""), card.get("figures"))

    def _card_text(self, about: About) -> str:
        return card_text(
            "Anchoring adaptor",
            about,
            self.native_fingerprint,
            languages=list(self.figures),
            tags=self._tags("arca"),
            sources=self.sources,
            figures=self.figures,
        )


class HubHead(FusionHead, _Travelling):
    """The fusion head that saves, loads and pushes itself; make one by `of`.

    ``HubHead.from_pretrained(source, native=encoder, maps=maps.marks)`` checks the encoder and the maps it stands
    behind; ``lasr()`` of what it gives is the head at query time.
    """

    card: dict[str, Any]
    native: str
    marks: dict[str, str]

    @classmethod
    def of(cls, lasr: LasrHead, native: Encoder, maps: Mapping[str, str], about: About) -> HubHead:
        """A trained head, with a copy of its weights.

        Args:
            lasr: the head; its card's "languages", "sources" and "verdict" come into the model card.
            native: the backbone.
            maps: marks of the anchoring maps it stands behind, by tag (`AnchorMaps.marks`); empty for none.
            about: for the model card.
        """
        sizes: dict[str, Any] = {**lasr.head.config}
        made = cls(**sizes)
        made.load_state_dict(lasr.head.state_dict())
        made.card, made.native, made.marks, made.about = dict(lasr.card), native.fingerprint, dict(maps), about
        return made.eval()

    def lasr(self) -> LasrHead:
        """This head at query time."""
        return LasrHead(self, self.card)

    def _save_pretrained(self, save_directory: Path) -> None:
        card = {**self.card, ABOUT: asdict(self.about)}
        LasrHead(self, card).save(save_directory, self.native, self.marks)

    @classmethod
    def _from_pretrained(  # type: ignore[override]
        cls, *, model_id: str, native: Encoder, maps: Mapping[str, str], **given: Any
    ) -> HubHead:
        found = LasrHead.load(Path(model_id), native.fingerprint, maps)
        _same_sizes(model_id, given, found.head.config)
        return cls.of(found, native, maps, _about(found.card))

    def _card_text(self, about: About) -> str:
        verdict = self.card.get("verdict") or {}
        return card_text(
            "Fusion head (LaSR)",
            about,
            self.native,
            languages=[tag for tag in self.card.get("languages", ()) if tag != ANY],
            tags=self._tags("lasr"),
            sources=self.card.get("sources", ""),
            figures=verdict.get("by_language", {}),
        )


def _about(card: Mapping[str, Any]) -> About:
    """What was said when it was saved; a checkpoint of the training itself says nothing."""
    try:
        return About(**card.get(ABOUT, {"base_model": "a backbone that is not named"}))
    except TypeError as error:
        raise CheckpointError(f"a card's {ABOUT!r} holds other fields than {list(About.__slots__)}") from error


def _same_sizes(place: str, given: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """The mixin hands over what config.json says; it must be what was read."""
    for name, value in config.items():
        if name in given and given[name] != value:
            raise CheckpointError(f"config.json in {place} says {name} {given[name]}, and the weights' card {value}")
