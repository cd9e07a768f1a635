// What a person would see at once, measured. Runs in the page, from tests/browser/judging.py.
window.judge = (() => {
  const controls = () => [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex]")].filter(
    one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.tabIndex >= 0
      && one.type !== "hidden" && !one.closest("[inert]"));

  const name = one => {
    const said = (one.getAttribute("aria-label") || one.innerText || one.textContent || one.name || "").trim();
    return `${one.localName}${one.id ? "#" + one.id : ""} ${said.slice(0, 40)}`.trim();
  };

  const texts = function* () {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentElement;
      if (parent.checkVisibility({visibilityProperty: true})) yield [walker.currentNode, parent];
    }
  };

  const boxOf = one => {
    const {left, top, right, bottom} = one.getBoundingClientRect();
    return {left, top, right, bottom};
  };

  return {
    // Words that stand on two lines. Code may break anywhere: it has no words.
    brokenWords: () => {
      const found = [];
      for (const [node, parent] of texts()) {
        if (parent.closest("pre, code, textarea, svg, .breaks")) continue;
        for (const word of node.data.matchAll(/[\p{L}\p{N}_.:,+-]+/gu)) {
          const range = document.createRange();
          range.setStart(node, word.index);
          range.setEnd(node, word.index + word[0].length);
          const tops = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
          const parts = word[0].split("-").length; // a hyphen is a place to break
          if (tops.size > parts) found.push(`${word[0]} in ${name(parent)}`);
        }
      }
      return found;
    },
    // Text that its element hides a part of.
    cutOff: () => {
      const found = [];
      for (const [node, parent] of texts()) {
        if (!node.data.trim() || parent.closest("[data-cut], .hidden")) continue;
        for (let box = parent; box && box !== document.body; box = box.parentElement) {
          const style = getComputedStyle(box);
          if (style.overflowX === "hidden" && box.scrollWidth > box.clientWidth + 1
            || style.overflowY === "hidden" && box.scrollHeight > box.clientHeight + 1) {
            found.push(name(parent));
            break;
          }
        }
      }
      return found;
    },
    // Text over other text, which does not belong to it.
    overlaps: () => {
      const seen = [];
      for (const [node, parent] of texts()) {
        if (!node.data.trim() || getComputedStyle(parent).position === "fixed") continue;
        if (parent.closest("nav, header, .hidden, [data-over]")) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const box of range.getClientRects()) {
          if (box.width > 1 && box.height > 1) seen.push([box, parent]);
        }
      }
      seen.sort((one, other) => one[0].top - other[0].top);
      const found = [];
      seen.forEach(([box, parent], at) => {
        for (let next = at + 1; next < seen.length && seen[next][0].top < box.bottom - 6; next++) {
          const [other, its] = seen[next];
          if (other.left < box.right - 3 && other.right > box.left + 3 && its !== parent) {
            found.push(`${name(parent)} and ${name(its)}`);
          }
        }
      });
      return found;
    },
    wider: () => document.scrollingElement.scrollWidth - document.documentElement.clientWidth,
    // Before the walk: each control as it looks without the focus.
    walk: () => {
      const look = one => {
        const {outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor,
          textDecorationLine} = getComputedStyle(one);
        const outlined = outlineStyle !== "none" && outlineWidth !== "0px";
        return JSON.stringify([outlined && outlineColor, boxShadow, borderColor, backgroundColor,
          textDecorationLine]);
      };
      document.activeElement.blur?.();
      const all = controls().map(one => ({one, before: look(one)}));
      const group = one => one.type === "radio" ? `radio ${one.name}` : one;
      window.walked = {all, reached: new Set(), unseen: [],
        step: () => {
          const now = document.activeElement;
          if (now === document.body || now === null) return false;
          const known = all.find(({one}) => one === now);
          if (known && !walked.reached.has(group(now))) {
            walked.reached.add(group(now));
            if (look(now) === known.before) walked.unseen.push(name(now));
            const box = boxOf(now);
            if (box.bottom < 0 || box.top > innerHeight) walked.unseen.push(`${name(now)}: off screen`);
          }
          return true;
        },
        missed: () => all.filter(({one}) => !walked.reached.has(group(one))).map(({one}) => name(one)),
      };
      return all.length;
    },
    boxes: selector => Object.fromEntries([...document.querySelectorAll(selector)].map(
      (one, at) => [one.id || `${at} ${one.localName}`, boxOf(one)])),
  };
})();
