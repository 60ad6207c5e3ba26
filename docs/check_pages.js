// What is wrong with the page as it stands, a sentence each.
(() => {
  const faults = new Set();
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const called = (element) => {
    const text = (element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `${element.tagName.toLowerCase()}${element.className && element.className.baseVal === undefined ? "." + String(element.className).split(" ")[0] : ""} "${text}"`;
  };

  // furo's column of text scrolls where the page does not
  const beyond = Math.max(...[...document.querySelectorAll("html, .content")].map((each) => each.scrollWidth - each.clientWidth));
  if (beyond > 1) {
    const wide = [...document.querySelectorAll("body *")].filter((each) =>
      shown(each) && each.getBoundingClientRect().right > window.innerWidth + 1 &&
      getComputedStyle(each).position !== "fixed");
    faults.add(`scrolls sideways by ${beyond}: ${wide.slice(0, 3).map(called).join(", ")}`);
  }

  document.querySelectorAll(".math").forEach((each) => {
    if (!each.querySelector("mjx-container") && !each.closest("mjx-container")) faults.add(`not set: ${called(each)}`);
  });
  document.querySelectorAll("mjx-merror, [data-mjx-error]").forEach((each) => faults.add(`formula: ${called(each)}`));
  const walk = document.createTreeWalker(document.querySelector("article") || document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const home = node.parentElement;
    if (!home.closest("pre, code, script, style, mjx-container, .math, textarea") && /(\$[^$\s][^$]*\$)|\\\(|\\\[|`[^`]+`|\*\*\w[^*]*\*\*/.test(node.data))
      faults.add(`unset markup: ${node.data.trim().slice(0, 60)}`);
  }

  // a word in two lines, where the browser has its choice of places
  document.querySelectorAll(".related-pages .title, article code, dt.sig .pre, .genindextable a").forEach((name) => {
    const parts = document.createTreeWalker(name, NodeFilter.SHOW_TEXT), range = document.createRange();
    for (let node = parts.nextNode(); node; node = parts.nextNode())
      for (const word of node.data.matchAll(/[^\s-]+/g)) {
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1)
          faults.add(`broken inside a word: ${called(name)} at "${word[0]}"`);
      }
  });

  const numbers = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const over = (top, below) => top.slice(0, 3).map((x, i) => x * (top[3] ?? 1) + below[i] * (1 - (top[3] ?? 1)));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((x) => (x / 255 <= 0.03928 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      const colour = numbers(getComputedStyle(each).backgroundColor);
      layers.unshift(colour);
      if ((colour[3] ?? 1) === 1) break;
    }
    return layers.reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const home = node.parentElement;
    if (!node.data.trim() || !shown(home) || home.closest("script, style, svg, mjx-container")) continue;
    const style = getComputedStyle(home), ground = behind(home);
    const [a, b] = [luminance(over(numbers(style.color), ground)), luminance(ground)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5) - 0.005)
      faults.add(`contrast ${ratio.toFixed(1)}: ${called(home).replace(/".*/, "")} ${style.color} on rgb(${ground.map(Math.round)})`);
  }

  document.querySelectorAll("a[href], button, input, select, summary, [tabindex]").forEach((each) => {
    if (!shown(each) || each.matches("[type=hidden]")) return;
    const label = each.labels?.[0]?.textContent || "";
    const name = each.getAttribute("aria-label") || each.title || each.textContent || label || each.placeholder ||
      each.querySelector("img[alt]")?.alt || "";
    if (!name.trim()) faults.add(`no name: ${each.outerHTML.slice(0, 80)}`);
    if (each.tabIndex > 0) faults.add(`out of order by keyboard: ${called(each)}`);
  });
  document.querySelectorAll("article *").forEach((each) => {
    const style = getComputedStyle(each);
    if (!/auto|scroll/.test(style.overflowX) || each.scrollWidth <= each.clientWidth + 1 || !shown(each)) return;
    if (each.tabIndex < 0 && !each.querySelector("a[href], button"))
      faults.add(`scrolls, but not by keyboard: ${called(each)}`);
  });
  return [...faults];
})()
