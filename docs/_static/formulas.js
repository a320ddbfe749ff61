// Draw every formula of the page; what KaTeX cannot read stays as it was typed.
document.querySelectorAll(".formula").forEach((place) => {
  katex.render(place.textContent, place, {
    displayMode: place.classList.contains("formula-block"),
    throwOnError: false,
  });
});
