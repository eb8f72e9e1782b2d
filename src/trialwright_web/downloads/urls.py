"""Routes of downloads, under ``/<study>/``."""

from django.urls import path

from trialwright_web.downloads import home, record, trail

app_name = "downloads"
urlpatterns = [
    path("downloads/", home.home, name="home"),
    path("downloads/files/<int:number>.zip", home.file, name="file"),
    path("downloads/audit-trail/", trail.page, name="trail"),
    path("downloads/audit-trail.csv", trail.table, name="trail_csv"),
    path("downloads/receipt.txt", record.receipt, name="receipt"),
    path("downloads/checkpoint-key.txt", record.checkpoint_key, name="key"),
    path("downloads/verify.py", record.verifier, name="verify"),
]
