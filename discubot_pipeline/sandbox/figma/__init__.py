"""The stand-in of Figma: comments of files over its REST API, webhooks, and the mails that come by Mailgun."""
