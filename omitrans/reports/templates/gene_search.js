(function () {
  var box = document.getElementById("gene-search");
  var count = document.getElementById("gene-count");
  var rows = document.querySelectorAll("#all-genes tbody tr");
  box.closest("p").hidden = false;
  box.addEventListener("input", function () {
    var wanted = box.value.trim().toLowerCase(), found = 0;
    rows.forEach(function (row) {
      var hit = row.cells[0].textContent.toLowerCase().indexOf(wanted) >= 0;
      row.hidden = !hit;
      found += hit;
    });
    count.textContent = wanted ? found + " found" : "";
  });
}());
