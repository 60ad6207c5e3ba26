"""Check the files of a built site: ``python docs/check_links.py SITE``, without network and without a browser.

Internal links and their anchors lead somewhere; no page asks another host for a script, a style, a font or a picture;
each page has a language, a title, one first heading and no jump between headings; pictures have a text that says what
they show; no anchor is defined twice on a page; no raw markup is shown. External links are counted by host, and with
``--external`` listed.
"""

import argparse
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
LINKED = {"canonical", "search", "index", "next", "prev", "author", "copyright"}  # relations that load nothing
ELSEWHERE = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)
MARKUP = re.compile(r"\\[|*`]|:[a-z:]+:`|\{[a-z:]+\}`|``|\$")
AS_WRITTEN = {"pre", "code", "script", "style", "title"}  # and elements of class math
FILE = re.compile(r"\.(?:png|svg|jpe?g)$|^plot \d", re.IGNORECASE)
CSS_URL = re.compile(r"""(?:url\(\s*|@import\s+)['"]?((?:[a-z]+:)?//[^'")\s]+)""", re.IGNORECASE)


@dataclass
class Page(HTMLParser):
    """What a page contains: anchors, links, what it loads, headings, faults."""

    places: Counter = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    title: str = ""
    inside: str = ""
    as_written: list[str] = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.places.update(filter(None, [said.get("id")]))
        if tag == "a":
            self.places.update({said["name"]} - {said.get("id")} if said.get("name") else ())
            self.links += [said["href"]] if said.get("href") else []
        if tag == "html" and not said.get("lang"):
            self.faults.append("no language")
        alternative = said.get("alt")  # empty where the picture adds nothing to the text beside it
        if tag == "img" and (alternative is None or FILE.search(alternative)):
            self.faults.append(f"no alternative text: {said.get('src')}")
        if tag == "style" and said.get("src"):
            self.loaded.append(said["src"])
        relation = set((said.get("rel") or "").split())
        if tag in LOADS and said.get(LOADS[tag]) and not relation & LINKED:
            self.loaded.append(said[LOADS[tag]])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.inside = tag if tag in {"title", "style"} else ""
        if self.as_written:
            self.as_written += [tag] if tag == self.as_written[0] else []
        elif tag in AS_WRITTEN or (tag != "img" and "math" in (said.get("class") or "")):
            self.as_written = [tag]

    def handle_endtag(self, tag):
        self.inside = ""
        if self.as_written and tag == self.as_written[0]:
            self.as_written.pop()

    def handle_data(self, data):
        if self.inside == "title":
            self.title += data.strip()
        if not self.as_written and (markup := MARKUP.search(data)):
            self.faults.append(f"markup is shown: {data[max(0, markup.start() - 20) : markup.end() + 20].strip()}")
        if self.inside == "style":
            self.loaded += CSS_URL.findall(data)


def read(file):
    """Return what a page contains, with the faults that show without other pages."""
    page = Page()
    page.feed(file.read_text(encoding="utf-8"))
    if not page.title:
        page.faults.append("no title")
    if page.headings.count(1) != 1:
        page.faults.append(f"{page.headings.count(1)} first headings")
    jumps = [(a, b) for a, b in zip(page.headings, page.headings[1:], strict=False) if b > a + 1]
    page.faults += [f"a heading h{b} below h{a}" for a, b in jumps]
    page.faults += [f"a place twice: #{place}" for place, times in page.places.items() if times > 1]
    page.faults += [f"from elsewhere: {address}" for address in page.loaded if ELSEWHERE.match(address)]
    return page


def dead(site, file, address, pages):
    """Return why an address on a page of the site leads nowhere, or nothing."""
    parts = urlsplit(address)
    if parts.scheme == "data":
        return None
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return "no such file"
    if not target.is_relative_to(site):
        return "outside the site"
    place = unquote(parts.fragment)
    if place and target in pages and place not in pages[target].places:
        return "no such place"
    return None


def check(site):
    """Return faults by page, and external links by page."""
    pages = {file: read(file) for file in sorted(site.rglob("*.html"))}
    faults, external = {}, {}
    for file, page in pages.items():
        name = str(file.relative_to(site))
        outward = {link for link in page.links if urlsplit(link).scheme in {"http", "https", "mailto"}}
        inward = {link for link in page.links if link not in outward}
        reasons = {link: dead(site, file, link, pages) for link in sorted(inward | set(page.loaded))}
        faults[name] = page.faults + [
            f"dead: {link}: {why}" for link, why in reasons.items() if why and not ELSEWHERE.match(link)
        ]
        external[name] = sorted(outward)
    for file in sorted(site.rglob("*.css")):
        faults[str(file.relative_to(site))] = [f"from elsewhere: {each}" for each in CSS_URL.findall(file.read_text())]
    return {name: wrong for name, wrong in faults.items() if wrong}, external


def main(arguments):
    """Print faults and external links; return how many pages have faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--external", action="store_true", help="list external links, which are not followed")
    given = parser.parse_args(arguments)
    if not (given.site / "index.html").exists():
        parser.error(
            f"{given.site} is not a built site: it has no index.html; python -m sphinx -W docs site builds one"
        )
    faults, external = check(given.site.resolve())
    for name, wrong in faults.items():
        print(name, *wrong, sep="\n    ")
    hosts = Counter(urlsplit(link).netloc for links in external.values() for link in set(links))
    print(f"{len(external)} pages, {sum(map(len, faults.values()))} faults; external links, not followed:", dict(hosts))
    if given.external:
        print(*sorted({link for links in external.values() for link in links}), sep="\n")
    return len(faults)


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
