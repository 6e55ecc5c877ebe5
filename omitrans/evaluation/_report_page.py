"""The frame of the HTML report; ``$title``, ``$made`` and ``$body`` are filled in."""

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { --text: #1c2430; --soft: #5a6675; --line: #d8dee6; --page: #ffffff; --stripe: #f5f7fa; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6eaf0; --soft: #a3aebc; --line: #3a4452; --page: #161b22; --stripe: #1e252e; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 2rem 1.25rem 4rem; background: var(--page);
  color: var(--text); font: 1rem/1.55 system-ui, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.8rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem; }
.made, .note, figcaption { color: var(--soft); font-size: .9rem; max-width: 46rem; }
.box { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
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
small { color: var(--soft); }
figure { margin: 1rem 0 1.75rem; max-width: 46rem; }
img { width: 100%; height: auto; background: #ffffff; border-radius: .4rem; padding: .5rem; }
@media print {
  body { max-width: none; padding: 0; }
  .box { overflow: visible; border: 0; }
  table { font-size: .65rem; }
  figure, tr { break-inside: avoid; }
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
