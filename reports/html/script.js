// Copy buttons and filters. Everything in the report can be read without this script.
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
      said.textContent = done ? "Copied." : "The browser didn't allow copying. Select the text and copy it yourself.";
      button.focus();
      window.setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2500);
    });
  }

  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  const texts = new WeakMap();
  function textOf(element) {
    // A grant line shows only the number of most users; data-others holds their names so that the filter finds them.
    const others = element.dataset.others || "";
    if (!texts.has(element)) texts.set(element, (element.textContent + "\n" + others).toLowerCase());
    return texts.get(element);
  }

  const clears = [];
  const filters = document.getElementById("filters");
  if (filters) {
    const findings = all("#finding-list .finding");
    const settings = all("#finding-list > .setting");
    const rows = all("#finding-list details");
    const fields = all("[data-filter]", filters);
    const shown = document.getElementById("shown");
    const reset = document.getElementById("reset");
    const none = document.getElementById("none-fits");
    const openAll = document.getElementById("open-all");
    const opened = new Set();
    filters.hidden = false;

    const fits = (finding) => fields.every((field) => field.dataset.filter === "text"
      ? words(field.value).every((word) => textOf(finding).includes(word))
      : !field.value || finding.dataset[field.dataset.filter] === field.value);

    const labelOpenAll = () => {
      const seen = rows.filter((row) => row.matches(".setting, .finding") && !row.closest("[hidden]"));
      openAll.textContent = seen.length && seen.every((row) => row.open) ? "Collapse all" : "Expand all";
      openAll.disabled = !seen.length;
    };
    const filter = () => {
      let number = 0;
      for (const finding of findings) {
        finding.hidden = !fits(finding);
        if (!finding.hidden) number += 1;
      }
      const narrowed = fields.some((field) => field.value);
      for (const setting of settings) {
        setting.hidden = !findings.some((finding) => !finding.hidden && setting.contains(finding));
        // While a filter is set, the rows of settings show the findings that fit; afterwards they close again.
        if (narrowed && !setting.open && setting.tagName === "DETAILS") {
          setting.open = true;
          opened.add(setting);
        }
      }
      if (!narrowed) {
        for (const setting of opened) setting.open = false;
        opened.clear();
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
      const open = openAll.textContent === "Expand all";
      for (const row of rows) if (row.matches(".setting, .finding") && !row.closest("[hidden]")) row.open = open;
      labelOpenAll();
    });
    for (const row of rows) row.addEventListener("toggle", labelOpenAll);
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
    // Never show a count without saying that the page leaves some grants out.
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
        + (kept.length === 1 ? " more line in short form" : " more lines in short form");
      return kept.length;
    };
    const filter = () => {
      const wanted = words(field.value);
      let number = 0;
      for (const row of rows) {
        row.hidden = !wanted.every((word) => textOf(row).includes(word));
        if (!row.hidden) number += Number(row.dataset.lines);
      }
      if (more) number += filterLines(wanted);
      const every = rows.reduce((sum, row) => sum + Number(row.dataset.lines), 0) + lines.length;
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

  // A link to an element inside a collapsed part expands that part. If the filters hide the element, they are cleared.
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
  // Clicking the same link twice doesn't change the hash, but filters might have hidden the target in between.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) reveal();
  });
  reveal();

  // For printing, expand and show everything; restore the previous state afterwards.
  let closed = [];
  let hidden = [];
  window.addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    hidden = all(".setting[hidden], .finding[hidden], #grant-list > tr[hidden]");
    for (const part of closed) part.open = true;
    for (const part of hidden) part.hidden = false;
  });
  window.addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
    for (const part of hidden) part.hidden = true;
  });
})();
