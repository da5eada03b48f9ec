"""The stand-in of Notion: integrations, databases, pages, blocks."""
