// The table of verdicts, filtered by what is typed above it.
document.querySelectorAll(".verdict-filter").forEach((input) => {
  const rows = () => document.querySelectorAll("table tbody tr");
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    rows().forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
  });
});
