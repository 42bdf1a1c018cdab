"""Tiny model folders with random weights, made from a config in the test: nothing is downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = ["the", "a", "cat", "dog", "sat", "on", "mat", "red", "blue", "house", "river", "bank", "good", "morning"]
WORDS += ["evening", "rice", "tea", "road", "sun", "moon"]


def write_tokenizer(folder: Path, *, extra: int = 0) -> None:
    """A WordLevel tokenizer with [CLS] text [SEP]; `extra` adds that many unused words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *(f"unused{i}" for i in range(extra))]
    tokenizer = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(["[PAD]", "[CLS]", "[SEP]"])
    tokenizer.save(str(folder / "tokenizer.json"))


def make_model(folder: Path, kind: str = "bert", **changes: Any) -> Any:
    """Save a tiny random model with a tokenizer into `folder`; returns transformers' model in eval mode.

    Args:
        folder: made if absent.
        kind: "bert", "xlm-roberta" or "qwen3".
        changes: config values.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    settings: dict[str, Any] = {
        "vocab_size": 40,
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 80,
        "pad_token_id": 0,
    }
    if kind == "xlm-roberta":
        settings.update(type_vocab_size=1)
    if kind == "qwen3":
        settings.update(num_key_value_heads=2, head_dim=8)
    torch.manual_seed(7)
    config = AutoConfig.for_model(kind, **{**settings, **changes})
    model = AutoModel.from_config(config).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():  # livelier than the default: biases and norms differ from 0 and 1
            value.add_(torch.randn_like(value) * (0.2 if value.ndim == 1 else 0.05))
            assert value.isfinite().all(), name
    folder.mkdir(exist_ok=True)
    model.save_pretrained(folder)
    write_tokenizer(folder)
    return model


def sentence_files(folder: Path, *, pooling: str = "mean", prompts: dict[str, str] | None = None) -> None:
    """The files sentence-transformers writes beside a model."""
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    modules = [
        {"idx": i, "path": path, "type": f"sentence_transformers.models.{kind}"} for i, (path, kind) in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    flags = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token", "last": "pooling_mode_lasttoken"}
    chosen = {flag: name == pooling for name, flag in flags.items()}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 32, **chosen}))
    if prompts is not None:
        (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))


TEMPLATES = {
    "smollm2": (
        "{% for m in messages %}{% if loop.first and messages[0]['role'] != 'system' %}<|im_start|>system\n"
        "the good model<|im_end|>\n{% endif %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "qwen": (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n\n</think>\n\n{% endif %}"
    ),
    "llama": (
        "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
        "{{ m['content'] }}<|eot_id|>{% endfor %}"
        "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
    ),
    "mistral": (
        "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
        "{% else %}{{ m['content'] }}</s>{% endif %}{% endfor %}"
    ),
}
"""The shape of four families' chat templates."""
KINDS = {"smollm2": "llama", "qwen": "qwen2", "llama": "llama", "mistral": "mistral"}
CONTROL = [
    "<|im_start|>",
    "<|im_end|>",
    "<think>",
    "</think>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
]
CONTROL += ["[INST]", "[/INST]"]


def make_causal(folder: Path, family: str = "smollm2", *, template: bool = True, kind: str = "") -> Path:
    """Save a tiny random language model of a family, bytes its tokens, with its kind of chat template.

    Args:
        kind: another architecture than the family's.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    names = ["<unk>", "<s>", "</s>", *CONTROL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    inner = Tokenizer(models.BPE({name: i for i, name in enumerate(names)}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        unk_token="<unk>",
        eos_token="</s>",
        additional_special_tokens=CONTROL,
        **({} if family == "qwen" else {"bos_token": "<s>"}),  # Qwen has no BOS
    )
    if template:
        tokenizer.chat_template = TEMPLATES[family]
    torch.manual_seed(11)
    config = AutoConfig.for_model(
        kind or KINDS[family],
        vocab_size=len(names),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=None if family == "qwen" else 1,
        eos_token_id=2,
        tie_word_embeddings=family in ("smollm2", "qwen"),
    )
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for value in model.parameters():
            value.add_(torch.randn_like(value) * 0.1)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_base_chat(folder: Path, **changes: Any) -> None:
    """Save a tiny random Llama over words, without a chat template; `changes` are config values."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    names = ["<pad>", "<bos>", "<eos>", "<unk>", *(f"word{n}" for n in range(40))]
    core = Tokenizer(models.WordLevel({name: n for n, name in enumerate(names)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad_token": "<pad>", "bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=core, **special).save_pretrained(folder)
    torch.manual_seed(5)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    tokens = {"vocab_size": len(names), "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    LlamaForCausalLM(LlamaConfig(**{**sizes, **tokens, **changes})).save_pretrained(folder)
