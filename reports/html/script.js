// Only comfort: copy buttons and filters. Without it, everything can be read.
(function () {
  "use strict";
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  const said = document.getElementById("said");

  function legacyCopy(text) {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    area.setAttribute("aria-hidden", "true");
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }

  async function copied(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      return legacyCopy(text);
    }
  }

  for (const button of all("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await copied(document.getElementById(button.dataset.copy).textContent);
      button.textContent = done ? "Copied" : "Not copied";
      said.textContent = done ? "Copied." : "The browser did not allow copying: select the text instead.";
      button.focus();
      window.setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2500);
    });
  }

  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  const texts = new WeakMap();
  function textOf(element) {
    // A line of grants counts most of its users; their names stand beside it, for the filter alone.
    const others = element.dataset.others || "";
    if (!texts.has(element)) texts.set(element, (element.textContent + "\n" + others).toLowerCase());
    return texts.get(element);
  }

  const clears = [];
  const filters = document.getElementById("filters");
  if (filters) {
    const findings = all("#finding-list > .finding");
    const fields = all("[data-filter]", filters);
    const shown = document.getElementById("shown");
    const reset = document.getElementById("reset");
    const none = document.getElementById("none-fits");
    const openAll = document.getElementById("open-all");
    filters.hidden = false;

    const fits = (finding) => fields.every((field) => field.dataset.filter === "text"
      ? words(field.value).every((word) => textOf(finding).includes(word))
      : !field.value || finding.dataset[field.dataset.filter] === field.value);

    const labelOpenAll = () => {
      const seen = findings.filter((finding) => !finding.hidden);
      openAll.textContent = seen.length && seen.every((finding) => finding.open) ? "Close all" : "Open all";
      openAll.disabled = !seen.length;
    };
    const filter = () => {
      let number = 0;
      for (const finding of findings) {
        finding.hidden = !fits(finding);
        if (!finding.hidden) number += 1;
      }
      shown.textContent = number + " of " + findings.length + " findings";
      none.hidden = number > 0;
      reset.hidden = fields.every((field) => !field.value);
      labelOpenAll();
    };
    const clear = () => {
      for (const field of fields) field.value = "";
      filter();
    };
    filters.addEventListener("input", filter);
    reset.addEventListener("click", () => {
      clear();
      fields[0].focus();
    });
    openAll.addEventListener("click", () => {
      const open = openAll.textContent === "Open all";
      for (const finding of findings) if (!finding.hidden) finding.open = open;
      labelOpenAll();
    });
    for (const finding of findings) finding.addEventListener("toggle", labelOpenAll);
    clears.push(clear);
    filter();
  }

  const grants = document.getElementById("grant-filter");
  if (grants) {
    const rows = all("#grant-list > tr");
    const field = grants.querySelector("input");
    const shown = grants.querySelector(".shown");
    const reset = grants.querySelector("button");
    const many = (number) => number.toLocaleString("en-GB");
    // Never "none" without saying that there are more than the page holds.
    const missing = shown.dataset.missing ? " shown here; " + shown.dataset.missing + "." : "";
    const more = document.getElementById("more-grants");
    const pre = document.getElementById("grant-lines");
    const lines = pre ? pre.textContent.split("\n").map((line) => [line, line.toLowerCase()]) : [];
    grants.hidden = false;
    const filterLines = (wanted) => {
      const kept = lines.filter((line) => wanted.every((word) => line[1].includes(word)));
      pre.textContent = kept.map((line) => line[0]).join("\n");
      more.hidden = !kept.length;
      more.open = wanted.length > 0;
      more.querySelector("summary").textContent = many(kept.length)
        + (kept.length === 1 ? " more line, in short" : " more lines, in short");
      return kept.length;
    };
    const filter = () => {
      const wanted = words(field.value);
      let number = 0;
      for (const row of rows) {
        row.hidden = !wanted.every((word) => textOf(row).includes(word));
        if (!row.hidden) number += 1;
      }
      if (more) number += filterLines(wanted);
      const every = rows.length + lines.length;
      const of = missing ? " of the " : " of ";
      shown.textContent = many(number) + of + many(every) + (every === 1 ? " line" : " lines") + missing;
      reset.hidden = !field.value;
    };
    field.addEventListener("input", filter);
    reset.addEventListener("click", () => {
      field.value = "";
      filter();
      field.focus();
    });
    filter();
  }

  // A link to something inside a closed part opens it, and to something filtered away clears the filters.
  const reveal = () => {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (!target) return;
    if (target.closest(".finding[hidden]")) for (const clear of clears) clear();
    for (let part = target; part; part = part.parentElement) {
      if (part.tagName === "DETAILS") part.open = true;
    }
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  // The same link a second time changes no hash, but may want something that was filtered away since.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) reveal();
  });
  reveal();

  // On paper nothing is closed or filtered away; afterwards all is as it was.
  let closed = [];
  let hidden = [];
  window.addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    hidden = all(".finding[hidden], #grant-list > tr[hidden]");
    for (const part of closed) part.open = true;
    for (const part of hidden) part.hidden = false;
  });
  window.addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
    for (const part of hidden) part.hidden = true;
  });
})();
