"""A page of Streamlit that says how large an uploaded file is."""

import hashlib

import streamlit

file = streamlit.file_uploader("file")
if file is not None:
    data = file.getvalue()
    streamlit.write(f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()[:16]}")
