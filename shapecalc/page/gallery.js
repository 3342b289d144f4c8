"use strict";
// Shows the networks whose row contains every word of the search.

const lines = [...document.querySelectorAll("#rows tr")];

document.getElementById("search").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const line of lines) {
    const text = line.textContent.toLowerCase();
    line.hidden = !words.every((word) => text.includes(word));
  }
  const shown = lines.filter((line) => !line.hidden).length;
  document.getElementById("found").textContent = `${shown} of ${lines.length} networks`;
});
