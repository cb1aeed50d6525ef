"""What a user's agent asks of a project, by the Model Context Protocol. A way in beside the command line.

`tools` says what can be asked, `words` what may reach the agent, `server` speaks the protocol.
"""
