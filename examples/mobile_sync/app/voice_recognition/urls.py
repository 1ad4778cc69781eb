"""The part of the API below /api/v1/voice/."""

from django.urls import path

from voice_recognition import views

urlpatterns = [path("verifications", views.verifications)]
