"""Style sheet of the page, for paper and for screens of any size and brightness."""

from __future__ import annotations

STYLE = """:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1c1c1a; --soft: #5c5c58; --rule: #dcdcd6; --warn: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181a; --ink: #e8e8e4; --soft: #a4a6a4; --rule: #36393c; --warn: #eec06a; }
}
* { box-sizing: border-box; }
html { font: 17px/1.55 Georgia, "Iowan Old Style", "Noto Serif", serif; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink); }
h1, h2, th, nav, .meta, figcaption { font-family: system-ui, "Segoe UI", "Noto Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .4rem; }
a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: .15em; }
nav { font-size: .9rem; }
.meta, figcaption { color: var(--soft); font-size: .82rem; overflow-wrap: anywhere; }
.lead { font-size: 1.1rem; overflow-wrap: anywhere; }
.unusual a { color: var(--soft); font-size: .85em; white-space: nowrap; }
.reason { color: var(--warn); border-left: 3px solid; padding-left: .8rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .84rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); white-space: nowrap; }
th, td { padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
td { white-space: nowrap; }
section { border-top: 2px solid var(--rule); margin-top: 2.6rem; padding-top: 1.4rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; margin: 1rem 0; font-size: .9rem; }
dt { color: var(--soft); }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
var { font-family: "STIX Two Text", Georgia, "Noto Serif", serif; font-style: italic; font-weight: inherit; }
sub, sup { font-size: .75em; line-height: 0; }
figure { margin: 1.4rem 0; }
figure img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: .4rem; padding: .4rem; }
@media (max-width: 40rem) {
  html { font-size: 16px; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
}
@media print {
  body { max-width: none; padding: 0; } section { break-inside: avoid-page; } .scroll { overflow: visible; }
}
"""
