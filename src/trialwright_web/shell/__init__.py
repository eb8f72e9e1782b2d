"""A request's composition root: who asks, at which desk (study, role, site), and the one door for acts.

Screens import from here only: :mod:`~trialwright_web.shell.desk` (``at_desk``, ``Desk``), ``signing`` (signatures
with re-authentication), ``drafts``, ``pages`` (``render_page``), the template tags ``shell`` and the base templates
``shell/staff.html``, ``shell/public.html``.
"""
