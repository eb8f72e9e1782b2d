"""What a study is: declarations, one module per file of the folder, and the loader that reads them.

Nothing here decides anything about a running trial; the build checks and compiles what is declared here.
"""
