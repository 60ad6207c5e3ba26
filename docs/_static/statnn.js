// What is wider than its box scrolls inside it, formulas of a sentence too; by keyboard only where it can be reached.
const reach = () => {
  document.querySelectorAll("article mjx-container:not([display])").forEach((formula) =>
    formula.classList.toggle("wide", formula.firstElementChild.getBoundingClientRect().width > formula.parentElement.clientWidth));
  document.querySelectorAll("article :is(pre, .table-wrapper, div.math, .cell_output, .drawn, mjx-container.wide)").forEach((box) => {
    if (/auto|scroll/.test(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", box.matches("pre") ? "code, scrolls sideways" : "scrolls sideways");
    } else if (box.getAttribute("role") === "region") {
      ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
    }
  });
};
// Figures of the gallery stand bare between paragraphs; one of a single panel is read whole on a phone.
window.addEventListener("load", () => {
  document.querySelectorAll("img.sphx-glr-single-img").forEach((image) => {
    const box = document.createElement("div");
    box.classList.add("drawn", ...(image.naturalWidth > 640 ? [] : ["narrow"]));
    image.replaceWith(box);
    box.append(image);
  });
  (window.MathJax?.startup?.promise || Promise.resolve()).then(reach);
  window.addEventListener("resize", reach);
});

// Names break at their dots, scores and capitals before they break elsewhere.
document.querySelectorAll("article code .pre, article h1, .related-pages .title, dt.sig .pre, summary code, .genindextable a").forEach((name) => {
  [...name.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).forEach((node) => {
    const parts = node.data.split(/(?<=[_(/]|(?<!\d)\.)(?=\w)|(?<=[a-z])(?=[A-Z][a-z])/);
    node.replaceWith(...parts.flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part])));
  });
});

// Options keep their dashes, and short words their quotes.
document.querySelectorAll("article code .pre").forEach((word) => word.classList.toggle("whole", /^["-].{0,24}$/.test(word.textContent)));

document.querySelectorAll("dt.sig .sig-paren:first-of-type, dt.sig .sig-param .o").forEach((bracket) => bracket.after(document.createElement("wbr")));

// The verdicts: rows of the table, and what is said below of each, by what is typed and chosen.
document.querySelectorAll("form.verdicts").forEach((form) => {
  const rows = [...document.querySelectorAll("table.verdicts tbody tr")];
  const filter = () => {
    const wanted = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.toLowerCase()]));
    let left = 0;
    rows.forEach((row) => {
      const said = [...row.cells].map((cell) => cell.textContent.trim().toLowerCase());
      const keep = said.join(" ").includes(wanted.text) && said[1].includes(wanted.outcome) &&
        (!wanted.standing || said[2] === wanted.standing) && said[3].includes(wanted.source);
      row.hidden = !keep;
      left += keep;
      const place = row.querySelector("a").getAttribute("href").slice(1);
      const section = document.getElementById(place)?.closest("section");
      if (section) section.hidden = !keep;
    });
    form.querySelector("output").value = `${left} of ${rows.length}`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  filter();
});
