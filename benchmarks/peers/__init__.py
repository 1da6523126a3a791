"""Those who send: the wrapper, the bare HTTP library that it uses, and the official SDK.

Each sends one text message a call, the way its users do, and reads the id of the message. A
peer is imported in the environment that has its library, and there alone.
"""
