"""The actor: which of K candidates to use, and how sure to be of it.

`RewardActor` takes the highest reward and needs no training; `PolicyActor` is the trained policy of the paper (LiRA,
arXiv 2510.14466, section "Arca": pi(k | c_1:K) = softmax(g_phi(c_1:K))) with a calibrated confidence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.errors import CheckpointError, ConfigError, FingerprintMismatch, InvalidInput
from lira_rag.functional.policy import choice_confidence, policy_logits
from lira_rag.functional.reward import FEATURES, RewardWeights, feature_rows, rewards
from lira_rag.protocols import Choice, FloatArray, Scores

if TYPE_CHECKING:
    from lira_rag.modules.policy import Policy

__all__ = ["PolicyActor", "RewardActor"]

NAME = "actor"
NOTHING_KNOWN = "an actor chooses among at least one candidate, but got none"


class RewardActor:
    """Takes the candidate with the highest reward; the first one when nothing was scored. States no confidence.

    Args:
        weights: alpha .. delta of the reward.
        sharpness: probabilities are softmax(sharpness * R); >= 0.

    Raises:
        ConfigError: sharpness is not >= 0.
    """

    name = "argmax-reward"

    def __init__(self, weights: RewardWeights | None = None, sharpness: float = 10.0) -> None:
        if not 0 <= sharpness < float("inf"):
            raise ConfigError(f"sharpness must be >= 0, but got {sharpness}")
        self.weights, self.sharpness = weights or RewardWeights(), sharpness

    @property
    def version(self) -> str:
        """Changes with the settings."""
        return f"{asdict(self.weights)}|{self.sharpness}"

    def choose(self, scores: Sequence[Scores]) -> Choice:
        """Decide; raises InvalidInput without candidates."""
        if not scores:
            raise InvalidInput(NOTHING_KNOWN)
        value = np.nan_to_num(rewards(feature_rows(scores), self.weights))
        return Choice(int(value.argmax()), tuple(_softmax(self.sharpness * value).tolist()))


class PolicyActor:
    """The trained actor.

    Args:
        policy: the network, with its calibration.
        weights: alpha .. delta it was trained with; they are part of the policy.
        card: what is known of its training; saved with it. `encoder` and `judge` name what made its features,
            `confidence_of` what the confidence is a confidence of.
    """

    name = "actor"

    def __init__(
        self, policy: Policy, weights: RewardWeights | None = None, card: Mapping[str, Any] | None = None
    ) -> None:
        self.policy, self.weights, self.card = policy.eval(), weights or RewardWeights(), dict(card or {})

    @cached_property
    def fingerprint(self) -> str:
        """Hex hash of weights, reward and features: all that decides a choice."""
        from lira_rag.modules.saving import weights_hash

        state = json.dumps([weights_hash(self.policy), asdict(self.weights), FEATURES])
        return hashlib.blake2b(state.encode(), digest_size=16).hexdigest()

    @cached_property
    def _state(self) -> dict[str, FloatArray]:
        """The policy's numbers, for choosing without torch."""
        return {name: tensor.detach().float().cpu().numpy().copy() for name, tensor in self.policy.state_dict().items()}

    def choose(self, scores: Sequence[Scores]) -> Choice:
        """Decide by the highest probability; no confidence when no critic said anything. InvalidInput without any."""
        if not scores:
            raise InvalidInput(NOTHING_KNOWN)
        features = feature_rows(scores)
        if np.isnan(features).all():
            return Choice(0, (1 / len(scores),) * len(scores))
        reward = rewards(features, self.weights)
        shares = _softmax(policy_logits(self._state, features, reward))
        index = int(shares.argmax())
        confidence = choice_confidence(self._state["calibration"], float(shares[index]), float(reward[index]))
        return Choice(index, tuple(shares.tolist()), confidence)

    def save(self, folder: str | Path) -> None:
        """Write ``actor.safetensors`` and ``actor.json`` into `folder`."""
        from lira_rag.modules.saving import write_module

        card = {
            **self.card,
            "features": list(FEATURES),
            "weights": asdict(self.weights),
            "hidden": self.policy.hidden,
            "fingerprint": self.fingerprint,
        }
        write_module(Path(folder), NAME, self.policy, card)

    @classmethod
    def load(cls, folder: str | Path, *, encoder: str | None = None, judge: str | None = None) -> PolicyActor:
        """Read what `save` wrote.

        Args:
            encoder: fingerprint (`version`) of the embedding critic it will work with; None does not check.
            judge: `version` of the translation critic it will work with; None does not check.

        Raises:
            CheckpointError: a file is absent or damaged, or it was trained on other features.
            FingerprintMismatch: it was trained on another encoder's or judge's scores; both values are named.
        """
        from lira_rag.modules.policy import Policy
        from lira_rag.modules.saving import read_card, read_weights

        card = read_card(Path(folder), NAME)
        if card.get("features") != list(FEATURES):
            raise CheckpointError(
                f"the actor in {folder} reads the features {card.get('features')}, and this version {list(FEATURES)}",
                hint="train it again",
            )
        _check_made_for(folder, card, {"encoder": encoder, "judge": judge})
        try:
            policy = Policy(card["hidden"])
            policy.load_state_dict(read_weights(Path(folder), NAME, card))
            weights = RewardWeights(**card["weights"])
        except (KeyError, TypeError, RuntimeError, ConfigError) as error:
            raise CheckpointError(f"{folder} does not hold an actor: {type(error).__name__}") from error
        return cls(policy, weights, card)


def _softmax(logits: FloatArray) -> NDArray[np.float64]:
    wide = logits.astype(np.float64)
    raised = np.exp(wide - wide.max())
    return np.asarray(raised / raised.sum(), dtype=np.float64)


def _check_made_for(folder: str | Path, card: Mapping[str, Any], wanted: Mapping[str, str | None]) -> None:
    for part, version in wanted.items():
        if version is not None and card.get(part) is not None and card[part] != version:
            raise FingerprintMismatch(
                f"the actor in {folder} was trained on scores of {part} {card[part]!r}, and got {version!r}",
                hint=f"use it with the {part} it was trained on, or train it again",
            )
