#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Small documents of many kinds into a folder: PDF, Word, OpenDocument, ..."""
import os
import sys
import zipfile

d = sys.argv[1]


def pdf(path, pages):
    objs = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [%s] /Count %d >>" % (" ".join("%d 0 R" % (4 + 2*i) for i in range(len(pages))), len(pages)), "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    for i, t in enumerate(pages):
        s = "BT /F1 12 Tf 72 720 Td (%s) Tj ET" % t
        objs.append("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>" % (5 + 2*i))
        objs.append("<< /Length %d >>\nstream\n%s\nendstream" % (len(s), s))
    out = b"%PDF-1.4\n"; offs = []
    for i, o in enumerate(objs):
        offs.append(len(out)); out += ("%d 0 obj\n%s\nendobj\n" % (i+1, o)).encode()
    x = len(out)
    out += ("xref\n0 %d\n0000000000 65535 f \n" % (len(objs)+1)).encode() + b"".join(b"%010d 00000 n \n" % o for o in offs)
    out += ("trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objs)+1, x)).encode()
    open(path, "wb").write(out)
pdf(os.path.join(d, "paper.pdf"), ["The quokka smiles on page one", "A wombat sleeps on page two"])
W = '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>A letter about numbats</w:t></w:r></w:p></w:body></w:document>'
with zipfile.ZipFile(os.path.join(d, "letter.docx"), "w") as z:
    z.writestr("[Content_Types].xml", "<Types/>"); z.writestr("word/document.xml", W)
O = '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text><text:p>An essay on bandicoots</text:p></office:text></office:body></office:document-content>'
with zipfile.ZipFile(os.path.join(d, "essay.odt"), "w") as z:
    z.writestr("mimetype", "application/vnd.oasis.opendocument.text"); z.writestr("content.xml", O)
with zipfile.ZipFile(os.path.join(d, "book.epub"), "w") as z:
    z.writestr("mimetype", "application/epub+zip"); z.writestr("ch1.xhtml", "<html><body><h1>Chapter</h1>\n<p>The bilby digs &amp; digs</p></body></html>")
with zipfile.ZipFile(os.path.join(d, "stuff.zip"), "w") as z:
    z.writestr("potoroo/notes.txt", "x")
open(os.path.join(d, "page.html"), "w").write("<html><head><title>Zoo</title><script>var hidden='cassowary'</script></head>\n<body>\n<h1>Birds</h1>\n<p>The em&uuml; runs\n<h2>Big</h2>\n<p>An ostrich, too.\n" + "<p>filler words to make it long enough\n"*80 + "<h1>Last</h1>\n<p>A lone kiwi\n</body></html>\n")
