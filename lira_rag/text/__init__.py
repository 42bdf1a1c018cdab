"""Text in any script: cleaning, breaks, index terms, language, passages, files.

=============  ==============================================================================================
`border`       clean a query or a document before anything else sees it
`marks`        its rules for combining marks, joiners and variation selectors
`breaks`       words, sentences and grapheme clusters as exact offsets (ICU); `plugins` has better breakers
`lexical`      folded words for word search; `ngrams` adds character n-grams: the index terms of a text
`romanise`     sound keys, by which spellings in Latin letters and other scripts meet
`scripts`      the script of a character and of a text
`language`     which language a text is in, or "und": by `letters`, by a model (`langid`), by everyday words
               (`vocabulary`); what is `mixed` in; `conversation` for "ok"; `spans` sentence by sentence
`chunking`     passages by the encoder's own tokens; `headings` finds their headings
`readers`      files to documents; `rows` (JSON lines, CSV), `pages` (HTML, PDF), `decoding` (UTF-8)
=============  ==============================================================================================

Offsets are always into the cleaned text, which is the text that is stored: a passage's text is exactly
``document.text[start:end]``. ICU, the language model and the file parsers load on first use.
"""
