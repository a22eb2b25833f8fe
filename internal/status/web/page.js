// Refreshes the page in place, so that what is unfolded, focused or scrolled stays so. Without it the browser loads the page anew.
(() => {
  "use strict";
  const every = 10000;
  const live = document.getElementById("live");
  const pause = document.getElementById("pause");
  let paused = false;

  const say = (text) => { if (live.textContent !== text) live.textContent = text; };

  const swap = (fresh) => {
    const old = document.querySelector("main");
    const main = fresh.querySelector("main");
    if (!main) throw new Error("no content");
    for (const was of old.querySelectorAll("details[id]")) {
      const is = main.querySelector("#" + CSS.escape(was.id));
      if (is) is.open = was.open;
    }
    const focused = document.activeElement;
    const path = focused && old.contains(focused) ? pathTo(focused, old) : null;
    const scrolled = [...old.querySelectorAll(".scroll[id]")].map((e) => [e.id, e.scrollLeft]);
    old.replaceWith(document.adoptNode(main));
    for (const [id, left] of scrolled) {
      const e = document.getElementById(id);
      if (e) e.scrollLeft = left;
    }
    const again = path && main.querySelector(path);
    if (again) again.focus({ preventScroll: true });
    document.title = fresh.title;
  };

  // pathTo finds the same element in the next page: by the nearest id above it, and its tag.
  const pathTo = (element, root) => {
    for (let e = element; e && e !== root; e = e.parentElement) {
      if (!e.id) continue;
      const at = "#" + CSS.escape(e.id);
      return e === element ? at : at + " " + element.tagName.toLowerCase();
    }
    return null;
  };

  const update = async () => {
    const selection = document.getSelection();
    if (paused || document.hidden || (selection && !selection.isCollapsed)) return;
    try {
      const answer = await fetch(location.pathname + location.search, { cache: "no-store", credentials: "same-origin" });
      swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
      say("It refreshes itself.");
    } catch (err) {
      say("No answer from the autoscaler; trying again. What is shown is old.");
    }
  };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Refresh again" : "Stop refreshing";
    say(paused ? "Stopped." : "It refreshes itself.");
    if (!paused) update();
  });
  say("It refreshes itself.");
  setInterval(update, every);
})();
