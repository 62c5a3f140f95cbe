"""Texts that would do something if anybody took them for more than text."""

from __future__ import annotations

CALL = "window.hacked=(window.hacked||0)+1"
_HANDLERS = ("onerror", "onload", "onclick", "onfocus", "onmouseover", "ontoggle", "onanimationstart", "onpointerenter")
_ELEMENTS = (
    "img src=x",
    "svg",
    "body",
    "input autofocus",
    "details open",
    "video src=x",
    "iframe src=x",
    "object data=x",
)

TEXTS: tuple[str, ...] = (
    *(f"<{element} {handler}={CALL}>" for element, handler in zip(_ELEMENTS, _HANDLERS, strict=True)),
    *(f"<img src=x {handler}={CALL}>" for handler in _HANDLERS),
    f"<script>{CALL}</script>",
    f"<ScRiPt>{CALL}</sCrIpT>",
    f"<scr<script>ipt>{CALL}</script>",
    f"</script><script>{CALL}</script>",
    f"</textarea><script>{CALL}</script>",
    f"</title><script>{CALL}</script>",
    f"</style><script>{CALL}</script>",
    f"<svg><script>{CALL}</script></svg>",
    f"<math><mtext><script>{CALL}</script></mtext></math>",
    f"<template><script>{CALL}</script></template>",
    f"<iframe srcdoc='<script>parent.{CALL}</script>'></iframe>",
    f"<a href='javascript:{CALL}'>open</a>",
    f"<form action='javascript:{CALL}'><button>go</button></form>",
    f"javascript:{CALL}",
    f"data:text/html,<script>{CALL}</script>",
    f"[open](javascript:{CALL})",
    f"![x](x\" onerror=\"{CALL})",
    f"\" autofocus onfocus=\"{CALL}",
    f"' onmouseover='{CALL}",
    f"` onmouseover={CALL}",
    f"--><script>{CALL}</script><!--",
    f"]]><script>{CALL}</script>",
    f"${{{CALL}}}",
    f"{{{{constructor.constructor('{CALL}')()}}}}",
    "<style>*{display:none!important}</style>",
    "<link rel=stylesheet href=//hostile.invalid/x.css>",
    "<meta http-equiv=refresh content='0;url=//hostile.invalid'>",
    "<base href=//hostile.invalid/>",
    "<button data-commandlinker-command='terminal:create-new'>open</button>",
    "<img src=//hostile.invalid/seen.png>",
    "<picture><source srcset=//hostile.invalid/seen.png><img></picture>",
    "\u202etxt.exe\u202c \u2066hidden\u2069",
    "\x1b[31mred\x1b[0m \x1b]8;;http://hostile.invalid\x07link\x1b]8;;\x07",
    "&lt;b&gt;&#60;script&#62;&#x3c;",
    "%3Cscript%3E%00",
    "zero\u200bwidth\ufeff",
)  # fmt: skip
