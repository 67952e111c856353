"""A page of Streamlit that says how large an uploaded file is, and shows a table of 24 MB."""

import hashlib

import numpy
import streamlit

file = streamlit.file_uploader("file")
if file is not None:
    data = file.getvalue()
    streamlit.write(f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()[:16]}")
if streamlit.button("table"):
    streamlit.dataframe(numpy.random.default_rng().random((300_000, 10)))
    streamlit.write("that is all")
