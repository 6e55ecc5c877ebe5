"""How Sphinx builds the pages: `make docs`."""

from pathlib import Path

import omitrans

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
HAS_EXAMPLES = (EXAMPLES / "GALLERY_HEADER.rst").exists()

project = "omitrans"
author = "The omitrans developers"
copyright = f"2026, {author}"
release = omitrans.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst"]
default_role = "py:obj"

# --- the API reference ---

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say more
autodoc_member_order = "groupwise"
maximum_signature_line_length = 88
numpydoc_show_class_members = False  # autosummary's template lists them
numpydoc_xref_param_type = False

# Every reference to a name of this package must lead somewhere.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!omitrans).*")]


def skip_foreign_members(app, what, name, member, skip, options):
    """Leave out what a class inherits from scikit-learn and others."""
    module = getattr(member, "__module__", None) or ""
    return skip or not module.startswith("omitrans.")


# --- examples ---

if HAS_EXAMPLES:
    extensions.append("sphinx_gallery.gen_gallery")
sphinx_gallery_conf = {
    "examples_dirs": str(EXAMPLES),
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",  # others are shown and not run: they need data
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "min_reported_time": 1,
    "write_computation_times": False,
}


def forget_gallery(app, docname, source):
    """Take the gallery out of the first page where there are no examples."""
    source[0] = source[0].replace("   auto_examples/index\n", "")


# --- the look ---

html_theme = "pydata_sphinx_theme"
html_title = f"omitrans {release}"
html_static_path = ["_static"]
html_css_files = ["omitrans.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "omitrans"},
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "whats_new/*": []}


def setup(app):
    """Connect the functions above."""
    app.connect("autodoc-skip-member", skip_foreign_members)
    if not HAS_EXAMPLES:
        app.connect("source-read", forget_gallery)
