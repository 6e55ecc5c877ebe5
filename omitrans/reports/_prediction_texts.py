"""What stands on every report of a prediction, whatever was predicted."""

READING = """\
<ul>
<li>R² is the share of a gene's differences between samples that the model finds in samples it was
not trained on: 1 is perfect, 0 no better than giving everyone the average. It can be negative.</li>
<li>A gene can be believed if the trust card calls it predictable. For the others the prediction
stays near the average of the training cohort, whatever the sample is like: do not interpret its
differences between samples.</li>
<li>Probes present is the share of the model's probes that a sample holds. Absent ones are filled
with what was learned in training, never from the other samples, so that a sample alone gets the
same prediction as among others.</li>
<li>A sample unlike the training cohort may be of another tissue, processed otherwise, or spoilt.
Its predictions are given, but nothing measured in training vouches for them. A small share of
ordinary samples is flagged by chance.</li>
<li>An interval of 90% should hold nine of ten real values, on average over samples like the
training cohort. It promises nothing for flagged samples.</li>
</ul>"""

NOT_CLAIMED = """\
<ul>
<li>A prediction is not a measurement. Methylation does not determine expression, and for most genes
it says little about differences between samples.</li>
<li>The figures of the genes were measured in the training cohort. Other tissues, laboratories or
arrays can do worse, and this page cannot tell by how much.</li>
<li>That no objection is raised does not show that a sample is well predicted.</li>
<li>A predicted difference between groups may be a difference in cell composition, age or
batch.</li>
<li>Nothing here is fit for the diagnosis or treatment of a patient.</li>
</ul>"""
