"""The frame of the HTML pages; ``$title``, ``$made`` and ``$body`` are filled in."""

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { --text: #1c2430; --soft: #5a6675; --line: #d8dee6; --page: #ffffff; --stripe: #f5f7fa;
  --good: #00694d; --doubt: #8a5a00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6eaf0; --soft: #a3aebc; --line: #3a4452; --page: #161b22; --stripe: #1e252e;
    --good: #5fd3a8; --doubt: #f0b85a; --bad: #ff8f86; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 2rem 1.25rem 4rem; background: var(--page);
  color: var(--text); font: 1rem/1.55 system-ui, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.8rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem; }
h3 { margin: 1.75rem 0 .5rem; font-size: 1.05rem; }
li { margin: .3rem 0; max-width: 46rem; overflow-wrap: anywhere; }
.made, .note, figcaption { color: var(--soft); font-size: .9rem; max-width: 46rem; }
.box { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
.tall { max-height: 30rem; overflow-y: auto; }
.tall thead > tr > * { position: sticky; top: 0; z-index: 1; background: var(--page); }
table { border-collapse: collapse; width: 100%; font-size: .88rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .7rem; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: bottom; }
td { white-space: nowrap; }
tbody th, tbody td { vertical-align: top; }
tbody th { text-align: left; position: sticky; left: 0; background: var(--page); }
tbody tr:last-child > * { border-bottom: 0; }
tbody tr:nth-child(even) > * { background: var(--stripe); }
thead th { font-weight: 600; min-width: 5.5rem; }
thead th:first-child { text-align: left; }
.prose td, .prose thead th { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.verdict td:nth-child(2), .verdict th:nth-child(2) { text-align: left; white-space: normal;
  min-width: 8rem; }
.verdict tbody th { min-width: 10.5rem; }
.name { display: inline-block; max-width: 100%; overflow-wrap: anywhere; vertical-align: bottom; }
.good { color: var(--good); }
.doubt { color: var(--doubt); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: .75rem 0 1rem; }
.tiles div { display: flex; flex-direction: column-reverse;
  justify-content: flex-end; flex: 1 1 8rem;
  border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .9rem; }
.tiles dd { margin: 0; font-size: 1.5rem; font-weight: 600; line-height: 1.2; }
.tiles dt { color: var(--soft); font-size: .85rem; }
summary { cursor: pointer; padding: .4rem 0; }
input { font: inherit; padding: .25rem .5rem; color: inherit; background: var(--page);
  border: 1px solid var(--line); border-radius: .3rem; }
small { color: var(--soft); }
figure { margin: 1rem 0 1.75rem; max-width: 46rem; }
img { width: 100%; height: auto; background: #ffffff; border-radius: .4rem; padding: .5rem; }
@media print {
  body { max-width: none; padding: 0; }
  .box { overflow: visible; max-height: none; border: 0; }
  .search { display: none; }
  table { font-size: .65rem; }
  figure, tr { break-inside: avoid; }
  h2, h3, .note { break-after: avoid; }
}
</style>
</head>
<body>
<header>
<h1>$title</h1>
<p class="made">$made</p>
</header>
<main>
$body
</main>
</body>
</html>
"""
