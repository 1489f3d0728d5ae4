"""Policy documents in AWS's JSON language, pure: parse and check one, ask it a question.

``patterns``     text with wildcards and policy variables
``principals``   the elements Principal and NotPrincipal
``operators``    how a condition compares, by operator
``conditions``   the element Condition
``document``     statements, and what a document says about a question
``json_reader``  JSON with the place of everything in it
``parser``       JSON to documents; MalformedPolicyDocumentException names the place
"""
