// Fetches how far a run is, every few seconds while somebody looks. Without it
// the page says the same, as of the moment at which it was made.
"use strict";

const EVERY_MS = 3000;

function watch(place) {
  const said = place.parentElement.querySelector("[role=status]");
  let tenth = null;
  let ended = false;

  async function refresh() {
    if (ended || document.hidden) return;
    const answer = await fetch(place.dataset.refresh, { redirect: "error" });
    if (!answer.ok) return;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.replaceChildren(...made.body.childNodes);
    const percent = place.querySelector("[data-percent]");
    ended = !place.querySelector("dl");
    const reached = percent && Math.floor(Number(percent.dataset.percent) / 10);
    // Told aloud at every tenth only, and at the end.
    if (ended || (percent && reached !== tenth)) said.textContent = (percent || place).textContent;
    tenth = reached;
  }

  const again = () => refresh().catch(() => {}).finally(() => { if (!ended) setTimeout(again, EVERY_MS); });
  setTimeout(again, EVERY_MS);
  document.addEventListener("visibilitychange", () => { refresh().catch(() => {}); });
}

document.querySelectorAll("[data-refresh]").forEach(watch);
document.querySelectorAll("form.search select").forEach((choice) => {
  choice.addEventListener("change", () => choice.form.requestSubmit());
});
