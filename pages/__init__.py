"""The dashboard's pages. A package, so that no other `pages` on the path is taken for this one."""
